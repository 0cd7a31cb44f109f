//! `diff` against random captures: the records that `convert` makes of a capture are the same as its packets, whatever
//! the windows; and after one known change they differ in that way and in no other.
//!
//! `frames` has the causes that lie in the frames themselves, `logs` what records are made of, `traffic` the packets.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test's own data")]

mod frames;
mod logs;
mod traffic;

use std::collections::BTreeMap;
use std::net::IpAddr;

use flowtruth::diff::{Cause, Kind, Verdict};
use flowtruth::record::LogFormat;
use logs::*;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};
use traffic::*;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_capture_is_the_same_as_its_records(
        packets in traffic(), windows in windows(), header in any::<bool>(), order in any::<u64>(),
    ) {
        // some packets later in the file than they were captured
        let mut packets = packets;
        for index in 1..packets.len() {
            if order >> (index % 64) & 1 == 1 && index % 3 == 0 {
                packets.swap(index - 1, index);
            }
        }
        let text = converted(&packets, &windows, header);
        let format: Option<LogFormat> = if header { None } else { Some(FORMAT.parse().unwrap()) };
        let written = || log_text(text.clone(), format.clone());
        let reversed = || {
            let mut lines: Vec<&str> = text.lines().collect();
            lines[usize::from(header)..].reverse();
            log_text(lines.join("\n"), format.clone())
        };
        for (name, comparison) in [
            ("capture, log", compared(capture(&packets), written())),
            ("log, capture", compared(written(), capture(&packets))),
            ("capture, reversed", compared(capture(&packets), reversed())),
            ("log, log", compared(written(), written())),
            ("log, reversed", compared(written(), reversed())),
            ("capture, capture", compared(capture(&packets), capture(&packets))),
        ] {
            prop_assert_eq!(comparison.verdict, Verdict::Same, "{} {:#?}\n{}", name, comparison.differences, text);
            prop_assert!(comparison.matched > 0);
            prop_assert_eq!(comparison.clock_offset_seconds, 0.0);
            prop_assert_eq!(comparison.reference_outside.records + comparison.candidate_outside.records, 0);
        }
    }

    #[test]
    fn clocks_off_by_a_fraction_are_never_wrong(packets in traffic(), windows in windows(), micros in 1_i64..1_000_000) {
        let shifted: Vec<Packet> =
            packets.iter().map(|packet| Packet { time: packet.time + micros, ..packet.clone() }).collect();
        let records = records(&converted(&shifted, &windows, false));
        let comparison = compared(capture(&packets), log(&records));
        prop_assert_ne!(comparison.verdict, Verdict::Different, "{:#?}", comparison.differences);
    }

    #[test]
    fn deleted_records_are_missing(packets in traffic(), picks in picks()) {
        let mut records = minutes(&packets);
        let deleted = chosen(&records, &picks);
        deleted.iter().rev().for_each(|index| { records.remove(*index); });
        differ(&packets, &records, &[(Cause::MissingRecord, deleted.len())])?;
        let whole = minutes(&packets);
        let comparison = compared(log(&whole), log(&records));
        prop_assert_eq!(causes(&comparison), [(Cause::MissingRecord, deleted.len() as u64)]);
    }

    #[test]
    fn added_records_are_extra(packets in traffic(), picks in picks()) {
        let whole = minutes(&packets);
        let mut records = whole.clone();
        let added = chosen(&records, &picks);
        for index in &added {
            // of other hosts, so that no packets of another flow could be meant
            let flow = Flow { src: "192.0.2.7".parse().unwrap(), dst: "192.0.2.8".parse().unwrap(), ..records[*index].flow };
            records.push(Record { flow, ..records[*index].clone() });
        }
        differ(&packets, &records, &[(Cause::ExtraRecord, added.len())])?;
        let comparison = compared(log(&whole), log(&records));
        prop_assert_eq!(causes(&comparison), [(Cause::ExtraRecord, added.len() as u64)]);
    }

    #[test]
    fn doubled_records_are_duplicates(packets in traffic(), picks in picks(), other_interface in any::<bool>()) {
        let whole = minutes(&packets);
        let mut records = whole.clone();
        let doubled = chosen(&records, &picks);
        for index in &doubled {
            let mut again = records[*index].clone();
            if other_interface {
                again.interface = "eni-2".to_owned();
            }
            records.push(again);
        }
        let comparison = differ(&packets, &records, &[(Cause::DuplicateRecord, doubled.len())])?;
        let verdict = if other_interface { Verdict::Explained } else { Verdict::Different };
        prop_assert_eq!(comparison.verdict, verdict);
        for comparison in [compared(log(&whole), log(&records)), compared(log(&records), log(&whole))] {
            prop_assert_eq!(causes(&comparison), [(Cause::DuplicateRecord, doubled.len() as u64)]);
        }
        prop_assert_eq!(compared(log(&whole), log(&records)).verdict, verdict);
    }

    #[test]
    fn a_wrong_record_beside_a_fraction_of_a_second_is_one_difference(
        packets in traffic(), pick in any::<Index>(), micros in 100_000_i64..900_000, more in 5001_u64..9000, deleted in any::<bool>(),
    ) {
        let shifted: Vec<Packet> =
            packets.iter().map(|packet| Packet { time: packet.time + micros, ..packet.clone() }).collect();
        let mut records = minutes(&shifted);
        let at = chosen(&records, &[pick])[0];
        let of_flow = records.iter().filter(|record| record.flow == records[at].flow).count();
        let expected = if deleted && of_flow == 1 {
            records.remove(at);
            Cause::MissingRecord
        } else {
            records[at].bytes += more * records[at].packets;
            Cause::Unexplained
        };
        let comparison = compared(capture(&packets), log(&records));
        let wrong = comparison.differences.iter().filter(|difference| !difference.explained);
        let wrong: Vec<Cause> = wrong.map(|difference| difference.cause).collect();
        prop_assert_eq!(wrong, [expected], "{:#?}", comparison.differences);
    }

    #[test]
    fn lag_and_another_measure_together_are_that_measure(
        packets in traffic(), amounts in Just((0..21).map(|step| 3 * step).collect::<Vec<i64>>()).prop_shuffle(),
    ) {
        let mut records = minutes(&packets);
        for (record, lag) in records.iter_mut().zip(amounts.iter().cycle()) {
            record.bytes += 14 * record.packets;
            record.start += lag;
            record.end += lag;
        }
        let comparison = compared(capture(&packets), log(&records));
        let found = causes(&comparison);
        prop_assert!(matches!(found[..], [(Cause::FrameBytes, _)]), "{found:?} {:#?}", comparison.differences);
        prop_assert!(found[0].1.abs_diff(records.len() as u64) <= 1, "{found:?} {:#?}", comparison.differences);
    }

    #[test]
    fn lag_and_one_wrong_record_keep_the_lag(
        packets in traffic(), pick in any::<Index>(), amounts in Just((1..21).map(|step| 3 * step).collect::<Vec<i64>>()).prop_shuffle(),
    ) {
        let mut records = minutes(&packets);
        for (record, lag) in records.iter_mut().zip(amounts.iter().cycle()) {
            record.start += lag;
            record.end += lag;
        }
        // of several records that lag past each other any may be the wrong one; packets before the first record of all
        // are outside of what the log covers
        let is_alone = |flow: &Flow| records.iter().filter(|record| record.flow == *flow).count() == 1;
        let first = records.iter().map(|record| record.start).min().unwrap();
        let is_able = |record: &Record| record.is_inside()
            && record.start - 60 > first
            && record.end < FIRST + 299
            && is_alone(&record.flow);
        let able: Vec<usize> = (0..records.len()).filter(|index| is_able(&records[*index])).collect();
        prop_assume!(!able.is_empty());
        records[*pick.get(&able)].bytes += 100_001;
        let comparison = compared(capture(&packets), log(&records));
        let wrong = comparison.differences.iter().filter(|difference| !difference.explained);
        prop_assert_eq!(wrong.count(), 1, "{:#?}", comparison.differences);
        prop_assert!(comparison.causes.keys().all(|cause| matches!(cause, Cause::LogLag | Cause::Unexplained)), "{:#?}", comparison.differences);
    }

    #[test]
    fn an_end_that_was_moved_over_later_records_is_noticed(packets in traffic(), pick in any::<Index>(), which in any::<bool>()) {
        let mut records = minutes(&packets);
        let has_next = |record: &Record| records.iter().any(|other| {
            other.flow == record.flow && other.start > record.end + 1 && other.end > record.end + 1
        });
        let able: Vec<usize> = (0..records.len()).filter(|index| records[*index].is_inside() && has_next(&records[*index])).collect();
        prop_assume!(!able.is_empty());
        let at = *pick.get(&able);
        let later = records.iter().filter(|other| other.flow == records[at].flow && other.start > records[at].end + 1);
        let later: Vec<i64> = later.map(|other| other.end).collect();
        records[at].end = if which { later[0] } else { later[later.len() - 1] };
        let comparison = compared(capture(&packets), log(&records));
        prop_assert_eq!(comparison.differences.len(), 1, "{:#?}", comparison.differences);
        prop_assert_eq!(comparison.differences[0].kind, Kind::Times);
        prop_assert_eq!(comparison.matched, records.len() as u64 - 1);
    }

    #[test]
    fn a_clock_that_is_off_is_an_offset(packets in traffic(), offset in prop_oneof![2_i64..4000, -4000_i64..-1]) {
        let mut records = minutes(&packets);
        for record in &mut records {
            record.start += offset;
            record.end += offset;
        }
        let comparison = differ(&packets, &records, &[(Cause::ClockOffset, records.len())])?;
        prop_assert_eq!(comparison.clock_offset_seconds, offset as f64);
    }

    #[test]
    fn records_that_lag_are_lag(
        packets in traffic(), amounts in Just((0..21).map(|step| 3 * step).collect::<Vec<i64>>()).prop_shuffle(),
    ) {
        // no two flows agree on an offset, but by chance
        let mut records = minutes(&packets);
        let mut lagging = 0;
        for (record, lag) in records.iter_mut().zip(amounts.iter().cycle()) {
            record.start += lag;
            record.end += lag;
            lagging += u64::from(*lag > 0);
        }
        let comparison = compared(capture(&packets), log(&records));
        let found = causes(&comparison);
        // a record may fit where it says by chance, or two of the same counts be taken for each other; but nothing else may
        // be said
        prop_assert!(matches!(found[..], [(Cause::LogLag, _)]), "{lagging} {found:?} {:#?}", comparison.differences);
        prop_assert!(lagging.abs_diff(found[0].1) <= 2, "{lagging} {found:?} {:#?}", comparison.differences);
        prop_assert_eq!(comparison.verdict, Verdict::Explained);
        prop_assert_eq!(comparison.clock_offset_seconds, 0.0);
    }

    #[test]
    fn bytes_of_frames_are_frame_bytes(packets in traffic(), measure in 0..4) {
        let mut records = minutes(&packets);
        for record in &mut records {
            let of = record.packets(&packets);
            let frames: u64 = of.iter().map(|packet| packet.frame_length()).sum();
            record.bytes = match measure {
                0 => frames,
                1 => record.bytes + 14 * record.packets,
                2 => frames + 4 * record.packets,
                // where there is no frame check sequence in the capture, a tool that takes it off takes too much
                _ => frames - 4 * record.packets,
            };
        }
        // 10 bytes more than IP for each packet, padding beside it, are no bytes of a flow of IP
        differ(&packets, &records, &[(Cause::FrameBytes, records.len())])?;
    }

    #[test]
    fn bytes_that_were_kept_are_captured_bytes(packets in traffic(), snap_length in 68_usize..300) {
        let mut records = minutes(&packets);
        let mut cut = 0;
        for record in &mut records {
            let kept = |packet: &&Packet| packet.ip_length().min(snap_length as u64 - 14);
            let bytes = record.packets(&packets).iter().map(kept).sum();
            cut += usize::from(bytes != record.bytes);
            record.bytes = bytes;
        }
        differ_captured(&packets, snap_length, &records, &[(Cause::CapturedBytes, cut)])?;
    }

    #[test]
    fn exchanged_ports_are_swapped(packets in traffic()) {
        let mut records = minutes(&packets);
        for record in &mut records {
            std::mem::swap(&mut record.flow.sport, &mut record.flow.dport);
        }
        differ(&packets, &records, &[(Cause::PortsSwapped, records.len())])?;
    }

    #[test]
    fn exchanged_ends_are_reversed(packets in traffic()) {
        let mut records = minutes(&packets);
        for record in &mut records {
            record.flow = record.flow.back();
        }
        differ(&packets, &records, &[(Cause::DirectionReversed, records.len())])?;
    }

    #[test]
    fn flags_of_headers_are_raw(packets in traffic()) {
        let mut records = minutes(&packets);
        let mut differing = 0;
        for record in records.iter_mut().filter(|record| record.flow.tcp) {
            let raw = record.packets(&packets).iter().fold(0, |all, packet| all | packet.flags);
            differing += usize::from(raw != record.flags);
            record.flags = raw;
        }
        differ(&packets, &records, &[(Cause::RawTcpFlags, differing)])?;
    }

    #[test]
    fn rejects_without_packets_are_unseen(packets in traffic(), picks in picks(), same_flow in any::<bool>()) {
        let mut records = minutes(&packets);
        let rejected = chosen(&records, &picks);
        for index in &rejected {
            let mut reject = Record { packets: 3, bytes: 121, action: "REJECT".to_owned(), flags: 2, ..records[*index].clone() };
            if !same_flow {
                reject.flow.sport = 23;
            }
            records.push(reject);
        }
        differ(&packets, &records, &[(Cause::RejectedUnseen, rejected.len())])?;
    }

    #[test]
    fn another_address_is_a_translation(packets in traffic(), pick in any::<Index>(), with_ports in any::<bool>()) {
        let mut records = minutes(&packets);
        let inside: Vec<Flow> = records.iter().filter(|record| record.is_inside()).map(|record| record.flow).collect();
        let client = pick.get(&inside);
        let client = if client.dport == 443 { client.src } else { client.dst };
        let outside: IpAddr =
            if client.is_ipv4() { "203.0.113.9".parse().unwrap() } else { "2001:db8:9::9".parse().unwrap() };
        let mut translated = 0;
        for Record { flow, .. } in &mut records {
            if flow.src == client {
                flow.src = outside;
                flow.sport += if with_ports { 10_000 } else { 0 };
            } else if flow.dst == client {
                flow.dst = outside;
                flow.dport += if with_ports { 10_000 } else { 0 };
            } else {
                continue;
            }
            translated += 1;
        }
        differ(&packets, &records, &[(Cause::AddressTranslated, translated)])?;
    }

    #[test]
    fn wrong_bytes_of_one_record_are_unexplained(packets in traffic(), pick in any::<Index>(), more in 1_u64..5000) {
        let whole = minutes(&packets);
        let mut records = whole.clone();
        let record = &mut records[chosen(&whole, &[pick])[0]];
        // another measure would be a cause
        let of = record.packets(&packets);
        let frames: u64 = of.iter().map(|packet| packet.frame_length()).sum();
        let wrong = record.bytes + more;
        prop_assume!([frames, record.bytes + 14 * record.packets, frames + 4 * record.packets, frames - 4 * record.packets]
            .iter().all(|bytes| *bytes != wrong));
        record.bytes = wrong;
        differ(&packets, &records, &[(Cause::Unexplained, 1)])?;
        let comparison = compared(log(&whole), log(&records));
        prop_assert_eq!(causes(&comparison), [(Cause::Unexplained, 1)]);
    }

    #[test]
    fn a_record_that_is_a_packet_short_is_unexplained(packets in traffic(), pick in any::<Index>(), which in any::<Index>()) {
        let mut records = minutes(&packets);
        // without the only packet of its first or last second the others of a record fit it, but for the time; so they do
        // without any packet of the same size
        let inner = |record: &Record, packet: &Packet| {
            let edges = [record.start, record.start + 1, record.end - 1, record.end];
            let is_like = |other: &&Packet| edges.contains(&other.second()) && other.payload == packet.payload;
            !edges.contains(&packet.second()) && !record.packets(&packets).iter().any(is_like)
        };
        let able: Vec<usize> = (0..records.len())
            .filter(|index| records[*index].is_inside() && records[*index].packets(&packets).iter().any(|packet| inner(&records[*index], packet)))
            .collect();
        prop_assume!(!able.is_empty());
        let record = &mut records[*pick.get(&able)];
        let of: Vec<&Packet> = record.packets(&packets).into_iter().filter(|packet| inner(record, packet)).collect();
        record.packets -= 1;
        record.bytes -= which.get(&of).ip_length();
        differ(&packets, &records, &[(Cause::Unexplained, 1)])?;
    }

    #[test]
    fn skipped_records_are_skipdata(packets in traffic(), minute in 1_i64..4) {
        let (from, to) = (FIRST + 60 * minute, FIRST + 60 * minute + 59);
        let mut records = minutes(&packets);
        let before = records.len();
        records.retain(|record| record.is_inside() && !(from..=to).contains(&record.start) || !record.is_inside());
        let skipped = before - records.len();
        let text = text(&records) + &format!("eni-1 - - - - - - - {from} {to} - - SKIPDATA\n");
        let comparison = compared(capture(&packets), log_text(text, None));
        let expected: Vec<_> = [(Cause::SkipData, skipped as u64)].into_iter().filter(|(_, runs)| *runs > 0).collect();
        prop_assert_eq!(causes(&comparison), expected);
    }

    #[test]
    fn a_capture_that_is_cut_differs_at_its_edges(packets in traffic(), from in 0_i64..140, seconds in 20_i64..150, micros in 0_i64..1_000_000) {
        let from = from * MICROS + micros;
        let part: Vec<Packet> =
            packets.iter().filter(|packet| (from..from + seconds * MICROS).contains(&packet.time)).cloned().collect();
        prop_assume!(part.len() > 1);
        let comparison = compared(capture(&part), log(&minutes(&packets)));
        prop_assert_ne!(comparison.verdict, Verdict::Different, "{:#?}", comparison.differences);
        // lag is tried first: what is left of a record at the edge may have the size of another one nearby
        let may = |cause: &Cause| matches!(cause, Cause::CaptureEdge | Cause::LogLag);
        prop_assert!(comparison.causes.keys().all(may), "{:#?}", comparison.differences);
        prop_assert!(comparison.causes.is_empty() || comparison.causes.contains_key(&Cause::CaptureEdge));
    }

    #[test]
    fn a_log_of_some_windows_differs_at_its_edges(packets in traffic(), minutes_kept in subsequence(vec![0_i64, 1, 2, 3, 4], 1..4)) {
        // neighbouring ones
        let (first, last) = (minutes_kept[0], minutes_kept[minutes_kept.len() - 1]);
        let mut records = minutes(&packets);
        records.retain(|record| (first..=last).contains(&((record.start - FIRST) / 60)));
        let comparison = compared(capture(&packets), log(&records));
        prop_assert_ne!(comparison.verdict, Verdict::Different, "{:#?}", comparison.differences);
        prop_assert!(comparison.causes.keys().all(|cause| *cause == Cause::CaptureEdge), "{:#?}", comparison.differences);
        prop_assert_eq!(comparison.matched, records.len() as u64);
    }

    #[test]
    fn other_windows_split_differently(packets in traffic(), windows in windows()) {
        let short = records(&converted(&packets, &windows, false));
        let long = records(&converted(&packets, &Windows { interval: 600, ..MINUTES }, false));
        let mut counts: BTreeMap<Flow, usize> = BTreeMap::new();
        short.iter().for_each(|record| *counts.entry(record.flow).or_default() += 1);
        let several = counts.values().filter(|records| **records > 1).count() as u64;
        for comparison in [compared(log(&short), log(&long)), compared(log(&long), log(&short))] {
            let expected: Vec<_> = [(Cause::SplitDifferently, several)].into_iter().filter(|(_, flows)| *flows > 0).collect();
            prop_assert_eq!(causes(&comparison), expected, "{:#?}", comparison.differences);
        }
    }

    #[test]
    fn a_tenth_of_the_packets_is_sampled(
        flows in vec((vec(0_u16..900, 300..500), 2_100_000_i64..90_000_000, 100_000_i64..400_000), 2..5), draws in vec(0_usize..10, 50),
    ) {
        let mut packets = Vec::new();
        for (number, (payloads, start, pace)) in (0..).zip(&flows) {
            let flow = Flow {
                src: "10.1.0.10".parse().unwrap(), dst: "10.2.0.20".parse().unwrap(), sport: 40_000 + number, dport: 443, tcp: false,
            };
            for (index, payload) in (0..).zip(payloads) {
                packets.push(Packet { time: start + index * pace, flow, flags: 0, payload: *payload });
            }
        }
        // one of each ten, any: nearer to a tenth than chance alone would be, so that three sigma always hold
        let mut seen: BTreeMap<Flow, usize> = BTreeMap::new();
        let mut kept = Vec::new();
        for packet in &packets {
            let number = seen.entry(packet.flow).or_default();
            if *number % 10 == draws[*number / 10] {
                kept.push(packet.clone());
            }
            *number += 1;
        }
        packets.sort_by_key(|packet| packet.time);
        kept.sort_by_key(|packet| packet.time);
        let comparison = compared(capture(&packets), log(&minutes(&kept)));
        prop_assert!(comparison.differences.len() >= flows.len());
        // what lies in front of the first drawn packet and behind the last may be outside
        prop_assert!(
            comparison.causes.keys().all(|cause| matches!(cause, Cause::Sampled | Cause::CaptureEdge)),
            "{:?} {:#?}", comparison.causes, comparison.differences
        );
        prop_assert_eq!(comparison.verdict, Verdict::Different);
    }
}
