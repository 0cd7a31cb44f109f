//! Causes that lie in the frames: another network or transport header around the same traffic.

use flowtruth::diff::Cause;
use flowtruth::pipeline::Fragments;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::logs::*;
use crate::traffic::*;

/// Where an IPv4 header begins in a frame, and where what is behind it does.
const IPV4: usize = 14;
const BEHIND_IPV4: usize = 34;

/// The frames of packets, with their times.
fn frames(packets: &[Packet]) -> Vec<(i64, Vec<u8>)> {
    packets.iter().map(|packet| (packet.time, packet.frame())).collect()
}

/// Without the padding that a short frame has.
fn unpadded(packet: &Packet) -> Vec<u8> {
    let mut frame = packet.frame();
    frame.truncate(IPV4 + packet.ip_length() as usize);
    frame
}

fn set_length(frame: &mut [u8], length: usize) {
    frame[IPV4 + 2..IPV4 + 4].copy_from_slice(&(length as u16).to_be_bytes());
}

/// Whether a flow has IPv4 addresses, and is none of the bystander's.
fn is_plain(flow: &Flow) -> bool {
    flow.src.is_ipv4() && flow.dport != 5001
}

/// The flows that are plain and wanted.
fn flows(packets: &[Packet], wanted: impl Fn(&Flow) -> bool) -> Vec<Flow> {
    let mut flows: Vec<Flow> = packets.iter().map(|packet| packet.flow).collect();
    flows.retain(|flow| is_plain(flow) && wanted(flow));
    flows.sort();
    flows.dedup();
    flows
}

/// Compares captured frames with a log, in both orders: this cause, at least once, and no other.
fn only(frames: &[(i64, Vec<u8>)], text: &str, cause: Cause) -> Result<u64, TestCaseError> {
    let mut counts = Vec::new();
    for turned in [false, true] {
        let (capture, log) = (captured_frames(frames), log_text(text.to_owned(), None));
        let comparison = if turned { compared(log, capture) } else { compared(capture, log) };
        let found = causes(&comparison);
        prop_assert!(
            matches!(found[..], [(only, _)] if only == cause),
            "{found:?} {turned} {:#?}",
            comparison.differences
        );
        counts.push(found[0].1);
    }
    prop_assert_eq!(counts[0], counts[1]);
    Ok(counts[0])
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn icmp_with_ports_is_icmp_ports(packets in traffic()) {
        prop_assume!(!flows(&packets, |flow| !flow.tcp).is_empty());
        let mut frames = frames(&packets);
        for ((_, frame), packet) in frames.iter_mut().zip(&packets) {
            if is_plain(&packet.flow) && !packet.flow.tcp {
                // an echo request
                frame[IPV4 + 9] = 1;
                frame[BEHIND_IPV4..BEHIND_IPV4 + 2].copy_from_slice(&[8, 0]);
            }
        }
        let text = converted_frames(&frames, &MINUTES, Fragments::Zero);
        let with_ports = text.replace(" 0 0 1 ", " 0 2048 1 ");
        let records = text.lines().filter(|line| line.contains(" 0 0 1 ")).count() as u64;
        prop_assert_eq!(only(&frames, &with_ports, Cause::IcmpPorts)?, records);
    }

    #[test]
    fn later_fragments_under_ports_are_fragment_ports(packets in traffic(), pick in any::<Index>(), cut in 1_usize..6) {
        let frames = fragmented(&packets, &pick, cut);
        prop_assume!(frames.len() > packets.len());
        only(&frames, &converted_frames(&frames, &MINUTES, Fragments::Track), Cause::FragmentPorts)?;
    }

    #[test]
    fn fragments_that_are_counted_as_one_packet_are_reassembled(packets in traffic(), pick in any::<Index>(), cut in 1_usize..6) {
        let frames = fragmented(&packets, &pick, cut);
        prop_assume!(frames.len() > packets.len());
        only(&frames, &converted(&packets, &MINUTES, true), Cause::Reassembled)?;
    }

    #[test]
    fn segments_that_the_host_joins_are_segment_offload(packets in traffic(), pick in any::<Index>(), segments in 7_u16..20) {
        let tcp = flows(&packets, |flow| flow.tcp);
        prop_assume!(!tcp.is_empty());
        let flow = *pick.get(&tcp);
        // on the wire segments of 1,400 bytes a microsecond apart, in the capture one packet for all of them
        let (mut wire, mut joined) = (Vec::new(), Vec::new());
        for packet in &packets {
            if packet.flow != flow {
                wire.push(packet.clone());
                joined.push(packet.clone());
                continue;
            }
            wire.extend((0..segments).map(|_| Packet { payload: 1400, ..packet.clone() }));
            joined.push(Packet { payload: 1400 * segments, ..packet.clone() });
        }
        let records = minutes(&wire);
        let of_flow = records.iter().filter(|record| record.flow == flow).count() as u64;
        prop_assert_eq!(only(&frames(&joined), &text(&records), Cause::SegmentOffload)?, of_flow);
    }

    #[test]
    fn what_is_inside_a_tunnel_is_tunnelled(packets in traffic()) {
        let inner = flows(&packets, |_| true);
        prop_assume!(!inner.is_empty());
        let frames: Vec<_> = packets.iter().map(|packet| {
            let frame = if is_plain(&packet.flow) { vxlan(&unpadded(packet)) } else { packet.frame() };
            (packet.time, frame)
        }).collect();
        let records = minutes(&packets);
        let inside = records.iter().filter(|record| is_plain(&record.flow)).count() as u64;
        // the outer packets are told too
        prop_assert!(only(&frames, &text(&records), Cause::Tunnelled)? >= inside);
    }

    #[test]
    fn a_primary_address_for_a_secondary_one_is_secondary_address(packets in traffic(), pick in any::<Index>()) {
        let plain = flows(&packets, |flow| flow.dport == 443);
        prop_assume!(plain.len() > 1);
        let flow = *pick.get(&plain);
        // all of the clients are one interface's primary address
        let primary = "10.1.0.10".parse().unwrap();
        let mut logged: Vec<Packet> = packets.iter().filter(|packet| is_plain(&packet.flow)).cloned().collect();
        for packet in &mut logged {
            if packet.flow.dport == 443 { packet.flow.src = primary } else { packet.flow.dst = primary }
        }
        let secondary = "10.1.0.99".parse().unwrap();
        let is_of_it = |packet: &Packet| [packet.flow.sport, packet.flow.dport].contains(&flow.sport);
        prop_assume!(logged.iter().any(|packet| !is_of_it(packet)));
        let mut seen = logged.clone();
        for packet in seen.iter_mut().filter(|packet| is_of_it(packet)) {
            if packet.flow.dport == 443 { packet.flow.src = secondary } else { packet.flow.dst = secondary }
        }
        // the bystander is another interface's
        let bystander = packets.iter().filter(|packet| packet.flow.dport == 5001).cloned();
        let mut records = minutes(&logged);
        let expected = records.iter().filter(|record| [record.flow.sport, record.flow.dport].contains(&flow.sport)).count();
        let of_bystander: Vec<Packet> = bystander.collect();
        records.extend(minutes(&of_bystander).into_iter().map(|record| Record { interface: "eni-2".to_owned(), ..record }));
        seen.extend(of_bystander);
        seen.sort_by_key(|packet| packet.time);
        prop_assert_eq!(only(&frames(&seen), &text(&records), Cause::SecondaryAddress)?, expected as u64);
    }

    #[test]
    fn traffic_that_aws_never_logs_is_never_logged(packets in traffic(), times in prop::collection::vec(3_000_000_i64..290_000_000, 1..9), which in 0..3_usize) {
        let (address, port, tcp) = [("169.254.169.254", 80, true), ("169.254.169.123", 123, false), ("169.254.169.253", 53, false)][which];
        let flow = Flow { src: "10.1.0.10".parse().unwrap(), dst: address.parse().unwrap(), sport: 50_000, dport: port, tcp };
        let mut all = packets.clone();
        for time in times {
            all.push(Packet { time, flow, flags: 0x18, payload: 40 });
            all.push(Packet { time: time + 900, flow: flow.back(), flags: 0x10, payload: 300 });
        }
        all.sort_by_key(|packet| packet.time);
        only(&frames(&all), &text(&minutes(&packets)), Cause::NeverLogged)?;
    }

    #[test]
    fn last_packets_of_a_closed_connection_that_are_rejected_are_late_reject(packets in traffic(), pick in any::<Index>(), payload in 0_u16..100) {
        let tcp = flows(&packets, |flow| flow.tcp && flow.dport == 443);
        prop_assume!(!tcp.is_empty());
        let flow = *pick.get(&tcp);
        let last = packets.iter().filter(|packet| packet.flow == flow || packet.flow == flow.back()).map(|packet| packet.time).max().unwrap();
        // closed a tenth of a second later, and more than a minute later some packets of it
        prop_assume!(last < 200 * MICROS);
        let mut all = packets.clone();
        all.push(Packet { time: last + 100_000, flow, flags: 0x11, payload: 0 });
        let late = last + 65 * MICROS;
        all.push(Packet { time: late, flow: flow.back(), flags: 0x10, payload });
        all.sort_by_key(|packet| packet.time);
        let accepted = minutes(&all);
        let mut rejected = accepted.clone();
        let second = FIRST + late / MICROS;
        let of_late = rejected.iter_mut().find(|record| record.flow == flow.back() && (record.start..=record.end).contains(&second)).unwrap();
        of_late.action = "REJECT".to_owned();
        let comparison = compared(log(&accepted), log(&rejected));
        prop_assert_eq!(causes(&comparison), [(Cause::LateReject, 1)], "{:#?}", comparison.differences);
    }

    #[test]
    fn captures_on_clocks_apart_are_an_offset(packets in traffic(), offset in prop_oneof![2_i64..4000, -4000_i64..-1]) {
        let shifted: Vec<Packet> = packets.iter().map(|packet| Packet { time: packet.time + offset * MICROS, ..packet.clone() }).collect();
        let comparison = compared(capture(&packets), capture(&shifted));
        let found = causes(&comparison);
        prop_assert!(matches!(found[..], [(Cause::ClockOffset, _)]), "{found:?} {:#?}", comparison.differences);
        prop_assert_eq!(comparison.clock_offset_seconds, offset as f64);
    }
}

/// Cuts the large enough packets of one flow of UDP in two, behind `cut` times eight bytes of the datagram.
fn fragmented(packets: &[Packet], pick: &Index, cut: usize) -> Vec<(i64, Vec<u8>)> {
    let udp = flows(packets, |flow| !flow.tcp);
    let flow = if udp.is_empty() { None } else { Some(*pick.get(&udp)) };
    let mut frames = Vec::new();
    for (packet, identification) in packets.iter().zip(1_u16..) {
        let whole = unpadded(packet);
        let first = BEHIND_IPV4 + 8 * (cut + 1);
        if Some(packet.flow) != flow || whole.len() <= first {
            frames.push((packet.time, packet.frame()));
            continue;
        }
        let part = |flags: u16, data: &[u8]| {
            let mut frame = [&whole[..BEHIND_IPV4], data].concat();
            set_length(&mut frame, 20 + data.len());
            frame[IPV4 + 4..IPV4 + 6].copy_from_slice(&identification.to_be_bytes());
            frame[IPV4 + 6..IPV4 + 8].copy_from_slice(&flags.to_be_bytes());
            frame
        };
        let more_fragments = 0x2000;
        frames.push((packet.time, part(more_fragments, &whole[BEHIND_IPV4..first])));
        frames.push((packet.time, part(cut as u16 + 1, &whole[first..])));
    }
    frames
}

/// A frame in a VXLAN tunnel between two other hosts.
fn vxlan(inner: &[u8]) -> Vec<u8> {
    let outer = Packet {
        time: 0,
        flow: Flow {
            src: "10.8.0.1".parse().unwrap(),
            dst: "10.8.0.2".parse().unwrap(),
            sport: 60_000,
            dport: 4789,
            tcp: false,
        },
        flags: 0,
        payload: 8 + inner.len() as u16,
    };
    let mut frame = unpadded(&outer);
    frame.truncate(BEHIND_IPV4 + 8);
    frame.extend([8, 0, 0, 0, 0, 0, 7, 0]);
    frame.extend(inner);
    frame
}
