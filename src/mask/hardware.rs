//! Hardware addresses: MAC addresses of IEEE 802.

use super::Mask;

/// Groups whose first bytes say what they are (RFC 1112, RFC 2464), and how many bytes these are; what is behind is made
/// from the group's IP address.
const GROUPS: [(&[u8], usize); 2] = [(&[0x01, 0x00, 0x5e], 3), (&[0x33, 0x33], 2)];

/// Groups of bridges, the same everywhere (IEEE 802.1D).
const BRIDGES: &[u8] = &[0x01, 0x80, 0xc2, 0x00, 0x00];

/// The bits of the first byte that mean something: a group's address, and assigned by whoever runs the network.
const MEANING: u8 = 0x03;

impl Mask {
    /// The hardware address that stands for an address: equal where they are equal. Broadcast, nothing, and bridges'
    /// groups stay; of a group of IP the first bytes stay; of all others the bits that say whether it is a group's and
    /// whether it was assigned locally. Its maker is hidden.
    pub fn hardware(&self, address: [u8; 6]) -> [u8; 6] {
        if address == [0; 6] || address == [0xff; 6] || address.starts_with(BRIDGES) {
            return address;
        }
        let digest = self.digest("hardware", &address);
        let mut masked = [0; 6];
        masked.iter_mut().zip(digest).for_each(|(byte, hashed)| *byte = hashed);
        match GROUPS.iter().find(|(first, _)| address.starts_with(first)) {
            Some((_, kept)) => {
                masked.iter_mut().zip(address).take(*kept).for_each(|(byte, own)| *byte = own);
            }
            None => {
                let ([first, ..], [own, ..]) = (&mut masked, address);
                *first = *first & !MEANING | own & MEANING;
            }
        }
        masked
    }
}
