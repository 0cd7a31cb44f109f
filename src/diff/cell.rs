//! What one side says of a flow, piece by piece of time.

use std::ops::Range;

use crate::packet::TcpFlags;

/// What packets say beside what a flow log would: only a capture knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PacketFacts {
    /// Bytes of the frames on the wire.
    pub frame_bytes: u64,
    /// Bytes in front of the counted IP headers.
    pub link_bytes: u64,
    /// IP bytes that the capture holds (the smaller of IP length and captured bytes, padding never).
    pub captured_bytes: u64,
    /// The OR of all TCP flags.
    pub raw_flags: TcpFlags,
    /// The largest packet's IP length in bytes.
    pub largest: u32,
    /// The smallest packet's IP length in bytes.
    pub smallest: u32,
    /// Packets that are later fragments.
    pub later_fragments: u64,
    /// The first packet's number in its capture, from 1; 0 where there is none.
    pub first_packet: u64,
}

/// A flow's packets in a piece of time: of a capture those of one second, of a log those of one record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// The first second, since 1970.
    pub start: i64,
    /// The last second; of a capture the same as the first.
    pub end: i64,
    /// Packets.
    pub packets: u64,
    /// IP bytes.
    pub bytes: u64,
    /// The OR of the flags as a flow log shows them; `None` where the side does not say.
    pub tcp_flags: Option<TcpFlags>,
    /// What else the packets say; nothing but zeros where the side is a log.
    pub facts: PacketFacts,
    /// The line in the log; 0 where the side is a capture.
    pub line: u64,
}

/// The sum over some cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Sum {
    /// Nothing.
    pub const ZERO: Sum = Sum { packets: 0, bytes: 0 };

    /// Of these cells.
    pub fn of(cells: &[Cell]) -> Sum {
        cells.iter().fold(Sum::ZERO, |sum, cell| sum.plus(cell.sum()))
    }

    /// Both together.
    pub fn plus(self, other: Sum) -> Sum {
        Sum {
            packets: self.packets.saturating_add(other.packets),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    /// What is left without the other; never less than nothing.
    pub fn minus(self, other: Sum) -> Sum {
        Sum {
            packets: self.packets.saturating_sub(other.packets),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }
}

impl Cell {
    /// Its counts.
    pub fn sum(&self) -> Sum {
        Sum { packets: self.packets, bytes: self.bytes }
    }

    /// Several cells as one: their sums, and all the time they take.
    pub fn joined(cells: &[Cell]) -> Option<Cell> {
        let (first, rest) = cells.split_first()?;
        Some(rest.iter().fold(*first, |mut all, cell| {
            all.add(cell);
            all
        }))
    }

    /// Adds another cell's packets and time.
    pub fn add(&mut self, other: &Cell) {
        self.start = self.start.min(other.start);
        self.end = self.end.max(other.end);
        self.packets = self.packets.saturating_add(other.packets);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.tcp_flags = match (self.tcp_flags, other.tcp_flags) {
            (Some(flags), Some(others)) => Some(flags | others),
            _ => None,
        };
        let (facts, others) = (&mut self.facts, &other.facts);
        facts.frame_bytes += others.frame_bytes;
        facts.link_bytes += others.link_bytes;
        facts.captured_bytes += others.captured_bytes;
        facts.raw_flags |= others.raw_flags;
        facts.largest = facts.largest.max(others.largest);
        facts.smallest = facts.smallest.min(others.smallest);
        facts.later_fragments += others.later_fragments;
        facts.first_packet = match (facts.first_packet, others.first_packet) {
            (0, number) | (number, 0) => number,
            (number, other) => number.min(other),
        };
    }

    /// Whether it lies wholly inside these seconds.
    pub fn is_inside(&self, start: i64, end: i64) -> bool {
        start <= self.start && self.end <= end
    }
}

/// The cells that have a second in common with `start..=end`; `cells` are in order and do not overlap much.
pub fn overlapping(cells: &[Cell], start: i64, end: i64) -> Range<usize> {
    let from = cells.partition_point(|cell| cell.end < start);
    let to = cells.partition_point(|cell| cell.start <= end);
    from..to.max(from)
}
