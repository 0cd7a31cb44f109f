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
        let mut records: Vec<_> = records.into_iter().map(|record| record.masked(mask)).collect();
        for written_together in records.chunk_by_mut(|a, b| a.window == b.window && a.late == b.late) {
            written_together.sort_by_key(|record| (record.flow, record.direction));
        }
        records
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
fn mask_layers(layers: &mut [Layer], data: &mut [u8], mask: &Mask) {
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
