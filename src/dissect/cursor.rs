//! Where in a frame the walk is, and the layers so far.

use super::layer::{Fate, Holds, Layer, Part};

/// The walk over a frame.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    data: &'a [u8],
    at: usize,
    /// Where the counted IP header begins.
    target: Option<usize>,
    /// Where the counted packet ends.
    end: Option<usize>,
    layers: Vec<Layer>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(data: &'a [u8], target: Option<usize>, length: Option<usize>) -> Self {
        let end = target.zip(length).map(|(target, length)| target.saturating_add(length));
        Cursor { data, at: 0, target, end, layers: Vec::new() }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Whether the walk is in the IP packet that is counted.
    pub(super) fn is_counted(&self) -> bool {
        self.target.is_some_and(|target| self.at >= target)
    }

    /// Whether a tunnel was opened here: the counted packet is further in.
    pub(super) fn is_outside(&self) -> bool {
        self.target.is_some_and(|target| self.at < target)
    }

    /// Begins a layer.
    pub(super) fn layer(&mut self, name: &'static str) {
        let counted = self.is_counted();
        self.layers.push(Layer { name, counted, parts: Vec::new() });
    }

    /// The next bytes, whether they were all captured or not.
    pub(super) fn peek(&self, length: usize) -> &'a [u8] {
        let rest = self.data.get(self.at..).unwrap_or_default();
        rest.get(..length).unwrap_or(rest)
    }

    /// A byte ahead.
    pub(super) fn byte(&self, ahead: usize) -> Option<u8> {
        self.data.get(self.at.checked_add(ahead)?).copied()
    }

    /// Two bytes ahead, the higher first.
    pub(super) fn word(&self, ahead: usize) -> Option<u16> {
        Some(u16::from_be_bytes([self.byte(ahead)?, self.byte(ahead + 1)?]))
    }

    /// The next field of a layer: its value is said of its bytes, where all of them were captured.
    pub(super) fn part(
        &mut self,
        name: &'static str,
        length: usize,
        fate: Fate,
        say: impl FnOnce(&[u8]) -> String,
    ) {
        self.parts(name, length, fate, 1, say);
    }

    /// The same for fields that share bytes: how many facts they are.
    pub(super) fn parts(
        &mut self,
        name: &'static str,
        length: usize,
        fate: Fate,
        facts: usize,
        say: impl FnOnce(&[u8]) -> String,
    ) {
        let found = self.peek(length);
        let value = (found.len() == length).then(|| say(found));
        // what stands around the counted packet is in no record
        let fate = match fate {
            Fate::Kept(_) | Fate::Summed(_) if !self.is_counted() => Fate::Lost,
            fate => fate,
        };
        let bytes = self.at..self.at + found.len();
        self.at = bytes.end;
        if let Some(layer) = self.layers.last_mut() {
            layer.parts.push(Part { name, bytes, value, fate, facts, holds: Holds::Number, hidden: false });
        }
    }

    /// Says of the last field that it holds something other than a number.
    fn holding(&mut self, holds: Holds) {
        if let Some(part) = self.layers.last_mut().and_then(|layer| layer.parts.last_mut()) {
            part.holds = holds;
        }
    }

    /// An IP address.
    pub(super) fn address(
        &mut self,
        name: &'static str,
        length: usize,
        fate: Fate,
        say: impl FnOnce(&[u8]) -> String,
    ) {
        self.part(name, length, fate, say);
        self.holding(Holds::Address);
    }

    /// A hardware address.
    pub(super) fn hardware(&mut self, name: &'static str, length: usize, say: impl FnOnce(&[u8]) -> String) {
        self.part(name, length, Fate::Lost, say);
        self.holding(Holds::Hardware);
    }

    /// A number in hexadecimal that is computed from others, or is an address for those who know more.
    pub(super) fn derived(&mut self, name: &'static str, length: usize) {
        self.hexadecimal(name, length, Fate::Lost);
        self.holding(Holds::Derived);
    }

    /// Bytes that are not taken apart: what is said of them is not what they are.
    pub(super) fn opaque(&mut self, name: &'static str, length: usize, say: impl FnOnce(&[u8]) -> String) {
        self.part(name, length, Fate::Lost, say);
        self.holding(Holds::Opaque);
    }

    /// A number of at most eight bytes.
    pub(super) fn number(&mut self, name: &'static str, length: usize, fate: Fate) {
        self.part(name, length, fate, |bytes| number(bytes).to_string());
    }

    /// A number in hexadecimal.
    pub(super) fn hexadecimal(&mut self, name: &'static str, length: usize, fate: Fate) {
        self.part(name, length, fate, |bytes| {
            format!("0x{:0width$x}", number(bytes), width = bytes.len() * 2)
        });
    }

    /// Bytes that nobody takes apart, as one layer up to a place.
    pub(super) fn unnamed(&mut self, name: &'static str, until: usize) {
        self.layer(name);
        let length = until.saturating_sub(self.at);
        self.opaque("bytes", length, |bytes| count(bytes.len()));
    }

    /// What is left: payload up to the end of the counted packet, and what is behind it.
    pub(super) fn payload(&mut self, name: &'static str) {
        let left = self.data.len().saturating_sub(self.at);
        let inside = match self.end {
            Some(end) => end.saturating_sub(self.at).min(left),
            None => left,
        };
        if inside > 0 {
            self.layer(name);
            self.opaque("bytes", inside, |bytes| count(bytes.len()));
        }
        if left > inside {
            self.layers.push(Layer { name: "behind the packet", counted: false, parts: Vec::new() });
            self.opaque("padding or checksum", left - inside, |bytes| count(bytes.len()));
        }
    }

    /// The layers; what the walk has left over is one.
    pub(super) fn into_layers(mut self) -> Vec<Layer> {
        self.payload("payload");
        self.layers
    }
}

fn count(bytes: usize) -> String {
    if bytes == 1 { "1 byte".to_owned() } else { format!("{bytes} bytes") }
}

/// A big-endian number of at most eight bytes.
pub(super) fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
