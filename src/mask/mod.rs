//! Names and addresses masked by a key, so that a capture can be talked about without saying whose it is.
//!
//! The same key gives the same mask on every machine; without the key nothing leads back but what stands below.
//!
//! - [`Mask::address`]: prefix-preserving. Two addresses that share their first n bits share n bits after; and what an
//!   address is for (private, multicast, link-local, an address that AWS gave a meaning) stays to be seen.
//! - [`Mask::hardware`]: one hardware address for another; whether it is a group's, and who assigned it, stays.
//! - [`Mask::name`]: a pseudonym of the same shape: `eni-` and as many hexadecimal digits, an account of 12 digits.
//! - [`Mask::record`]: all of these, field by field; [`Mask::sentence`]: wherever they stand between other words.
//!
//! **It is no anonymity.** Who knows some of the addresses, or can send packets that are captured, learns the masks of
//! all that share a prefix with these, bit by bit; ports, times and sizes are what they were. Source: Fan, Xu, Ammar and
//! Moon, "Prefix-preserving IP address anonymization" (Computer Networks 46, 2004), on attacks that no scheme of this
//! kind can avoid.
//!
//! Pure: no clock, no randomness, no I/O.

mod address;
mod hardware;
mod key;
mod name;
mod record;
mod sentence;

pub use key::{MaskKey, ParseKeyError};
pub use sentence::KnownNames;

use hmac::{Hmac, KeyInit, Mac};
use ipcrypt_rs::IpcryptPfx;
use sha2::Sha256;

/// Masks names and addresses.
pub struct Mask {
    addresses: IpcryptPfx,
    /// Keyed, waiting for what is to be hashed.
    hash: Hmac<Sha256>,
}

impl Mask {
    /// The mask of a key.
    pub fn new(key: &MaskKey) -> Mask {
        // names are hashed under a key of their own, which says nothing of the addresses'
        let mut names = keyed(key.bytes());
        names.update(b"flowtruth: names");
        let names: [u8; 32] = names.finalize().into_bytes().into();
        Mask { addresses: IpcryptPfx::new(*key.bytes()), hash: keyed(&names) }
    }

    /// A hash of something, of its kind: what is of another kind has another hash.
    fn digest(&self, kind: &str, of: &[u8]) -> [u8; 32] {
        let mut hash = self.hash.clone();
        hash.update(kind.as_bytes());
        hash.update(&[0]);
        hash.update(of);
        hash.finalize().into_bytes().into()
    }
}

/// A hash under a key, which HMAC fills up with zeros to a block.
fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = [0; 64];
    block.iter_mut().zip(key).for_each(|(byte, own)| *byte = *own);
    Hmac::new(&block.into())
}

#[cfg(test)]
mod tests;
