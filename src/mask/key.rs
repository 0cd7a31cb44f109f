//! The key of a mask.

use std::fmt;
use std::str::FromStr;

/// 256 bits, secret. The halves differ: the scheme for addresses takes each for a key of its own.
#[derive(Clone, PartialEq, Eq)]
pub struct MaskKey([u8; 32]);

/// What is wrong with a key that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseKeyError {
    /// Not so many hexadecimal digits.
    #[error("a key is 64 hexadecimal digits, here are {0} characters")]
    Length(usize),
    /// Something else among them.
    #[error("character {0} of the key is no hexadecimal digit")]
    Digit(usize),
    /// Two equal halves.
    #[error("the two halves of the key are the same, which gives away the addresses")]
    Halves,
}

impl MaskKey {
    /// A key of random bytes.
    ///
    /// # Errors
    /// [`ParseKeyError::Halves`].
    pub fn new(bytes: [u8; 32]) -> Result<MaskKey, ParseKeyError> {
        let (first, second) = bytes.split_at(16);
        if first == second { Err(ParseKeyError::Halves) } else { Ok(MaskKey(bytes)) }
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// 64 hexadecimal digits, of either case; space around them does not count.
impl FromStr for MaskKey {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<MaskKey, ParseKeyError> {
        let text = text.trim();
        let mut bytes = [0; 32];
        for (at, character) in text.chars().enumerate() {
            let digit = character.to_digit(16).ok_or(ParseKeyError::Digit(at + 1))?;
            if let Some(byte) = bytes.get_mut(at / 2) {
                *byte = *byte << 4 | digit as u8;
            }
        }
        if text.len() == 64 { MaskKey::new(bytes) } else { Err(ParseKeyError::Length(text.len())) }
    }
}

/// Never the key.
impl fmt::Debug for MaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MaskKey(…)")
    }
}
