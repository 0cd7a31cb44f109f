//! The part of a frame in which a packet is read.

/// The bytes of a frame, from its first one on, in which an IP packet is read.
///
/// For the outermost packet that is the whole frame; for a packet in a tunnel it ends where the outer packet
/// ends. All offsets count from the start of the frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    /// What is captured.
    pub data: &'a [u8],
    /// The length on the wire in bytes, never less than what is captured.
    pub length: usize,
}

impl<'a> View<'a> {
    /// The view that ends at `end`, or earlier where this one does.
    pub fn until(self, end: usize) -> View<'a> {
        View { data: self.data.get(..end).unwrap_or(self.data), length: self.length.min(end) }
    }

    /// What is captured from `offset` on.
    pub fn from(self, offset: usize) -> &'a [u8] {
        self.data.get(offset..).unwrap_or_default()
    }
}
