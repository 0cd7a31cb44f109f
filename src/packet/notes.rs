//! What the ledger notes about a packet that was counted all the same.

use std::fmt;

/// One thing worth knowing about a counted packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Note {
    /// The first fragment of a fragmented packet, with its ports.
    FragmentFirst,
    /// A further fragment, without ports of its own.
    FragmentLater,
    /// An IPv6 packet whose fragment header is first and last at once (RFC 6946).
    FragmentAtomic,
    /// The IP length field was 0 (segmentation offload, BIG TCP): counted by the frame's length.
    LengthZero,
    /// An IPv6 jumbogram (RFC 2675), counted by its jumbo option.
    Jumbogram,
    /// The capture's snap length cut the frame.
    SnaplenCut,
    /// The IP header names more bytes than the frame had; counted by the header.
    LengthExceedsFrame,
    /// The transport header was cut before its ports: `0 0`.
    PortsCut,
    /// The TCP header was cut before its flags: 0.
    FlagsCut,
    /// An IPv6 extension header was cut: the walk ended there.
    ExtensionCut,
    /// Counted inside an opened VXLAN tunnel (RFC 7348).
    Vxlan,
    /// Counted inside an opened Geneve tunnel (RFC 8926).
    Geneve,
    /// Counted inside an opened GRE tunnel (RFC 2784).
    Gre,
}

impl Note {
    /// Every note, in the order in which the ledger lists them.
    pub const ALL: [Note; 13] = [
        Note::FragmentFirst,
        Note::FragmentLater,
        Note::FragmentAtomic,
        Note::LengthZero,
        Note::Jumbogram,
        Note::SnaplenCut,
        Note::LengthExceedsFrame,
        Note::PortsCut,
        Note::FlagsCut,
        Note::ExtensionCut,
        Note::Vxlan,
        Note::Geneve,
        Note::Gre,
    ];

    /// The note's name in the ledger.
    pub const fn name(self) -> &'static str {
        match self {
            Note::FragmentFirst => "fragment-first",
            Note::FragmentLater => "fragment-later",
            Note::FragmentAtomic => "fragment-atomic",
            Note::LengthZero => "length-zero",
            Note::Jumbogram => "jumbogram",
            Note::SnaplenCut => "snaplen-cut",
            Note::LengthExceedsFrame => "ip-length-exceeds-frame",
            Note::PortsCut => "ports-cut",
            Note::FlagsCut => "tcp-flags-cut",
            Note::ExtensionCut => "ipv6-extension-cut",
            Note::Vxlan => "decapsulated-vxlan",
            Note::Geneve => "decapsulated-geneve",
            Note::Gre => "decapsulated-gre",
        }
    }

    /// How packets with this note are counted, in words that follow its name.
    pub const fn explanation(self) -> &'static str {
        match self {
            Note::FragmentFirst => "with their ports",
            Note::FragmentLater => "which hold no ports themselves",
            Note::FragmentAtomic => "fragments that are whole in themselves",
            Note::LengthZero => "segmentation offload, counted by the frame's length",
            Note::Jumbogram => "counted by their jumbo option",
            Note::SnaplenCut => "counted whole",
            Note::LengthExceedsFrame => "counted as the IP header says",
            Note::PortsCut => "ports `0 0`",
            Note::FlagsCut => "flags 0",
            Note::ExtensionCut => "the cut header is the protocol",
            Note::Vxlan => "counted inside VXLAN",
            Note::Geneve => "counted inside Geneve",
            Note::Gre => "counted inside GRE",
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of [`Note`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Notes(u16);

impl Notes {
    /// No notes.
    pub const NONE: Notes = Notes(0);
    /// [`Note::SnaplenCut`] alone.
    pub const SNAPLEN_CUT: Notes = Notes(1 << Note::SnaplenCut as u8);

    /// Adds a note.
    #[inline]
    pub fn insert(&mut self, note: Note) {
        self.0 |= 1 << note as u8;
    }

    /// Whether the note is in the set.
    #[inline]
    pub const fn contains(self, note: Note) -> bool {
        self.0 & (1 << note as u8) != 0
    }

    /// Whether nothing is noted, as for nearly every packet.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The notes in the set, in the ledger's order.
    pub fn iter(self) -> impl Iterator<Item = Note> {
        Note::ALL.into_iter().filter(move |note| self.contains(*note))
    }
}

impl FromIterator<Note> for Notes {
    fn from_iter<I: IntoIterator<Item = Note>>(notes: I) -> Self {
        let mut set = Notes::NONE;
        notes.into_iter().for_each(|note| set.insert(note));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_note_is_listed_once_and_kept_apart() {
        for (index, note) in Note::ALL.into_iter().enumerate() {
            assert_eq!(note as usize, index);
            let set: Notes = [note].into_iter().collect();
            assert_eq!(set.iter().collect::<Vec<_>>(), [note]);
        }
        assert!(Notes::NONE.is_empty());
    }
}
