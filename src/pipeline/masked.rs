//! Explanations with names and addresses masked: everything that a page shows of packets and records goes through here.
//!
//! What cannot be masked is hidden: payload and options may hold anything, and a checksum, beside what it was computed
//! over, gives away an address bit by bit.

use crate::dissect::{Holds, Layer, Part};
use crate::mask::Mask;
use crate::packet::IpPacket;

use super::{ExplainedPacket, ExplainedRecord, RecordOptions};

impl RecordOptions {
    /// The same with the identity masked.
    pub fn masked(&self, mask: &Mask) -> RecordOptions {
        RecordOptions { identity: mask.record(&self.identity), ..self.clone() }
    }
}

impl ExplainedRecord {
    /// The same with its flow masked.
    pub fn masked(self, mask: &Mask) -> ExplainedRecord {
        ExplainedRecord { flow: mask.flow(&self.flow), ..self }
    }

    /// Records masked, and those of one window in the order that their new addresses have: the old order would say which
    /// of two addresses was the greater.
    pub fn all_masked(records: Vec<ExplainedRecord>, mask: &Mask) -> Vec<ExplainedRecord> {
        let mut records = records;
        Self::put_in_order_of_masks(&mut records, mask);
        records.into_iter().map(|record| record.masked(mask)).collect()
    }

    /// Puts records that are not masked yet into that order.
    pub(super) fn put_in_order_of_masks(records: &mut [ExplainedRecord], mask: &Mask) {
        for written_together in records.chunk_by_mut(|a, b| a.window == b.window && a.late == b.late) {
            written_together.sort_by_key(|record| (mask.flow(&record.flow), record.direction));
        }
    }
}

impl ExplainedPacket {
    /// The same with its bytes, headers and record masked.
    pub fn masked(mut self, mask: &Mask) -> ExplainedPacket {
        let masked_ip = |ip: IpPacket| IpPacket {
            srcaddr: mask.address(ip.srcaddr),
            dstaddr: mask.address(ip.dstaddr),
            // it is made of the bytes
            fingerprint: 0,
            ..ip
        };
        self.decoded = self.decoded.map(masked_ip);
        mask_layers(&mut self.layers, &mut self.data, mask);
        self.record = self.record.map(|record| record.masked(mask));
        self
    }
}

/// Masks a packet's header fields, and their bytes in the packet.
pub(super) fn mask_layers(layers: &mut [Layer], data: &mut [u8], mask: &Mask) {
    for part in layers.iter_mut().flat_map(|layer| &mut layer.parts) {
        let Some(bytes) = data.get_mut(part.bytes.clone()) else { continue };
        let written = match part.holds {
            Holds::Number => continue,
            Holds::Address => mask_address(part, bytes, mask),
            Holds::Hardware => mask_hardware(part, bytes, mask),
            Holds::Derived | Holds::Opaque => false,
        };
        if !written {
            bytes.fill(0);
            part.hidden = true;
            if part.holds != Holds::Opaque {
                part.value = part.value.as_ref().map(|_| "hidden".to_owned());
            }
        }
    }
}

/// Writes the mask of an IP address over it; `false` where it is not whole.
fn mask_address(part: &mut Part, bytes: &mut [u8], mask: &Mask) -> bool {
    let masked = if let Ok(octets) = <[u8; 4]>::try_from(&*bytes) {
        mask.address(octets.into())
    } else if let Ok(octets) = <[u8; 16]>::try_from(&*bytes) {
        mask.address(octets.into())
    } else {
        return false;
    };
    match masked {
        std::net::IpAddr::V4(v4) => bytes.copy_from_slice(&v4.octets()),
        std::net::IpAddr::V6(v6) => bytes.copy_from_slice(&v6.octets()),
    }
    part.value = part.value.as_ref().map(|_| masked.to_string());
    true
}

/// The same of a hardware address, behind which there may be padding; its value says how long it is.
fn mask_hardware(part: &mut Part, bytes: &mut [u8], mask: &Mask) -> bool {
    const LENGTH: usize = 6;
    let said = part.value.as_deref().map_or(0, |value| value.split(':').count());
    let (Some((address, padding)), LENGTH) = (bytes.split_first_chunk_mut::<LENGTH>(), said) else {
        return false;
    };
    *address = mask.hardware(*address);
    padding.fill(0);
    let text: Vec<String> = address.iter().map(|byte| format!("{byte:02x}")).collect();
    part.value = Some(text.join(":"));
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{Tunnels, decode};
    use crate::dissect::dissect;
    use crate::flow::{FlowCounters, FlowKey};
    use crate::packet::{
        CapturedPacket, LinkType, PacketDirection, PacketTime, Protocol, TcpFlags, Timestamp,
    };
    use crate::pipeline::CountedPacket;

    const KEY: &str = "5b1f0c6d7e8a99aa0b1c2d3e4f506172839405a6b7c8d9eafb0c1d2e3f405162";

    fn mask() -> Mask {
        Mask::new(&KEY.parse().unwrap())
    }

    /// The headers and bytes of a raw IP packet, masked.
    fn masked(data: &[u8], original_length: u32) -> (Vec<Layer>, Vec<u8>) {
        let packet = CapturedPacket {
            number: 1,
            offset: 24,
            time: PacketTime::At(Timestamp::from_nanos(0)),
            original_length,
            link_type: LinkType::RAW,
            interface: 0,
            direction: PacketDirection::Unknown,
            data,
        };
        let mut layers = dissect(&packet, decode(&packet, Tunnels::NONE).ok().as_ref());
        let mut data = data.to_vec();
        mask_layers(&mut layers, &mut data, &mask());
        (layers, data)
    }

    fn part<'a>(layers: &'a [Layer], name: &str) -> &'a Part {
        layers.iter().flat_map(|layer| &layer.parts).find(|part| part.name == name).unwrap()
    }

    /// An IPv4 header from 192.0.2.10 to 198.51.100.20.
    fn ipv4(protocol: u8, length: u16) -> Vec<u8> {
        let [high, low] = length.to_be_bytes();
        let mut header = vec![0x45, 0, high, low, 0, 0, 0, 0, 64, protocol, 0xab, 0xcd];
        header.extend([192, 0, 2, 10, 198, 51, 100, 20]);
        header
    }

    #[test]
    fn the_gateway_of_a_redirect_is_hidden() {
        let mut packet = ipv4(1, 28);
        packet.extend([5, 1, 0x12, 0x34, 192, 0, 2, 77]);
        let (layers, data) = masked(&packet, 28);
        let gateway = part(&layers, "rest of the header");
        assert!(gateway.hidden);
        assert_eq!(gateway.value.as_deref(), Some("hidden"));
        assert_eq!(&data[24..], [0; 4]);
        assert_eq!(part(&layers, "header checksum").value.as_deref(), Some("hidden"));
        assert_eq!(&data[10..12], [0; 2]);
    }

    #[test]
    fn an_address_in_a_tcp_option_is_hidden() {
        let mut packet = ipv4(6, 48);
        packet.extend([0x10, 0x68, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x70, 2, 0x20, 0, 0, 0, 0, 0]);
        // an option that load balancers use for the client's port and address
        packet.extend([254, 8, 0x10, 0x68, 203, 0, 113, 9]);
        let (layers, data) = masked(&packet, 48);
        assert_eq!(part(&layers, "option").value.as_deref(), Some("kind 254"));
        assert!(part(&layers, "option").hidden);
        assert_eq!(&data[40..], [0; 8]);
        assert_eq!(part(&layers, "source port").value.as_deref(), Some("4200"));
    }

    #[test]
    fn half_an_address_is_hidden() {
        let (layers, data) = masked(&ipv4(6, 48)[..18], 48);
        let destination = part(&layers, "destination address");
        assert_eq!((destination.value.as_deref(), destination.hidden), (None, true));
        assert_eq!(&data[16..], [0; 2]);
        assert_ne!(&data[12..16], [192, 0, 2, 10]);
    }

    #[test]
    fn records_do_not_give_away_the_order_of_addresses() {
        let time = Timestamp::from_nanos(0);
        let record = |host: u8| {
            let counted =
                CountedPacket { number: 1, time, ip_length: 40, frame_length: 54, tcp_flags: TcpFlags(0) };
            ExplainedRecord {
                flow: FlowKey {
                    srcaddr: [192, 0, 2, host].into(),
                    dstaddr: [198, 51, 100, 20].into(),
                    protocol: Protocol::TCP,
                    srcport: 1,
                    dstport: 2,
                },
                direction: PacketDirection::Unknown,
                window: None,
                late: false,
                counters: FlowCounters::EMPTY,
                packets: vec![counted],
                first: counted,
                last: counted,
            }
        };
        let records = ExplainedRecord::all_masked((0..50).map(record).collect(), &mask());
        assert_eq!(records.len(), 50);
        assert!(records.is_sorted_by_key(|record| record.flow));
        // as they come they are not
        assert!(!(0..50).map(|host| record(host).masked(&mask()).flow).is_sorted());
    }
}
