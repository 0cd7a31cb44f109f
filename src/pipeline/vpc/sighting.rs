//! Where a packet was sighted: the capture, what is noted of it there, and the interfaces that the frame's MAC addresses name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::capture::{CaptureInfo, Losses};
use crate::flow::ObservationPoint;
use crate::meter::Lost;
use crate::packet::{CapturedPacket, LinkType, Note, Notes, Timestamp};
use crate::pipeline::MeterOptions;
use crate::vpc::{InterfaceIndex, Mac, Vpc};

/// How many pairs of MAC addresses are remembered with their point.
const RECENT: usize = 4096;

/// What a point stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Sighted {
    pub(super) capture: usize,
    /// The capture's interface.
    pub(super) interface: u32,
    /// What is noted of its packets: the ledger notes only what goes into records.
    pub(super) notes: Notes,
    /// Who sent the frame.
    pub(super) from: Option<InterfaceIndex>,
    /// Whom it was sent to.
    pub(super) to: Option<InterfaceIndex>,
}

/// A frame's two MAC addresses, the receiver's first, in two numbers that are compared faster than bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Macs(u64, u32);

/// Where a packet came from, as far as its frame says, and its point.
#[derive(Clone, Copy)]
struct Recent {
    origin: Origin,
    point: ObservationPoint,
}

/// What tells points apart.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Origin {
    macs: Macs,
    /// As many captures as that do not fit the memory.
    capture: u32,
    interface: u32,
    notes: Notes,
}

/// Of no packet.
const NOBODYS: Recent = Recent {
    origin: Origin { macs: Macs::NONE, capture: u32::MAX, interface: u32::MAX, notes: Notes::NONE },
    point: ObservationPoint(u32::MAX),
};

/// The walk's part: gives each packet its point, and notices what captures lost.
pub(in crate::pipeline) struct InterfacesSeen {
    /// How many losses of each capture are known.
    losses: Vec<u64>,
    /// The time of the last packet.
    last: Option<Timestamp>,
    vpc: Arc<Vpc>,
    with_macs: bool,
    numbers: HashMap<Sighted, ObservationPoint>,
    points: Arc<Mutex<Vec<Sighted>>>,
    recent: Vec<Recent>,
}

/// The judge's part: what a point stands for.
pub(super) struct Points {
    points: Arc<Mutex<Vec<Sighted>>>,
    known: Vec<Sighted>,
}

impl InterfacesSeen {
    /// The two ends.
    pub(super) fn new(vpc: Arc<Vpc>) -> (InterfacesSeen, Points) {
        let points: Arc<Mutex<Vec<Sighted>>> = Arc::default();
        let seen = InterfacesSeen {
            losses: Vec::new(),
            last: None,
            with_macs: vpc.has_macs(),
            vpc,
            numbers: HashMap::new(),
            points: points.clone(),
            recent: vec![NOBODYS; RECENT],
        };
        (seen, Points { points, known: Vec::new() })
    }

    /// The point of a packet.
    #[inline(always)]
    pub(in crate::pipeline) fn point(
        &mut self,
        capture: usize,
        packet: &CapturedPacket<'_>,
        noted: Notes,
        ip_offset: u32,
    ) -> ObservationPoint {
        let macs = if self.with_macs { macs(packet, noted, ip_offset) } else { Macs::NONE };
        let origin = Origin { macs, capture: capture as u32, interface: packet.interface, notes: noted };
        let at = slot(&origin);
        match self.recent.get(at) {
            Some(recent) if recent.origin == origin => recent.point,
            _ => self.find(origin, at),
        }
    }

    /// Notes what a capture has lost up to its packet of this time, or up to its end.
    #[inline]
    pub(in crate::pipeline) fn note_losses(
        &mut self,
        capture: usize,
        info: Option<&CaptureInfo>,
        time: Option<Timestamp>,
        options: &MeterOptions,
        into: &mut Vec<Lost>,
    ) {
        self.last = time.or(self.last);
        let told = info.map_or(0, |info| info.losses.told());
        if told > self.losses.get(capture).copied().unwrap_or_default()
            && let Some(info) = info
        {
            self.note_new_losses(capture, &info.losses, options, into);
        }
    }

    /// Notes losses that are not known yet. Those without a time are as old as the last packet.
    #[cold]
    fn note_new_losses(
        &mut self,
        capture: usize,
        losses: &Losses,
        options: &MeterOptions,
        into: &mut Vec<Lost>,
    ) {
        if self.losses.len() <= capture {
            self.losses.resize(capture + 1, 0);
        }
        let Some(known) = self.losses.get_mut(capture) else { return };
        let wanted = |time: &Timestamp| {
            options.from.is_none_or(|from| *time >= from) && options.until.is_none_or(|until| *time < until)
        };
        for loss in losses.since(*known) {
            if let Some(time) = loss.time.or(self.last).filter(wanted) {
                // as many captures as that do not fit the memory
                into.push(Lost { capture: capture as u32, interface: loss.interface, time });
            }
        }
        *known = losses.told();
    }

    #[cold]
    #[inline(never)]
    fn find(&mut self, origin: Origin, at: usize) -> ObservationPoint {
        let [receiver, sender] = origin.macs.both();
        let interface_with = |mac| self.vpc.interface_with(mac).filter(|_| self.with_macs);
        let sighted = Sighted {
            capture: origin.capture as usize,
            interface: origin.interface,
            notes: origin.notes,
            from: interface_with(sender),
            to: interface_with(receiver),
        };
        let next = ObservationPoint(u32::try_from(self.numbers.len()).unwrap_or(u32::MAX));
        let point = *self.numbers.entry(sighted).or_insert(next);
        if point == next {
            // nothing panics while it holds the lock
            self.points.lock().unwrap_or_else(PoisonError::into_inner).push(sighted);
        }
        if let Some(recent) = self.recent.get_mut(at) {
            *recent = Recent { origin, point };
        }
        point
    }
}

impl Macs {
    const NONE: Macs = Macs(0, 0);

    /// The addresses in a frame: the receiver's, the sender's.
    #[inline]
    fn in_frame(frame: &[u8]) -> Option<Macs> {
        let (most, rest) = frame.split_first_chunk()?;
        Some(Macs(u64::from_be_bytes(*most), u32::from_be_bytes(*rest.first_chunk()?)))
    }

    /// The sender's address alone, at the beginning of these bytes.
    #[inline]
    fn of_sender(bytes: &[u8]) -> Option<Macs> {
        let (most, rest) = bytes.split_first_chunk::<2>()?;
        Some(Macs(u16::from_be_bytes(*most).into(), u32::from_be_bytes(*rest.first_chunk()?)))
    }

    /// The receiver's, the sender's.
    fn both(self) -> [Mac; 2] {
        let [a, b, c, d, e, f, g, h] = self.0.to_be_bytes();
        let [i, j, k, l] = self.1.to_be_bytes();
        [Mac([a, b, c, d, e, f]), Mac([g, h, i, j, k, l])]
    }

    /// Their last two bytes, which tell interfaces apart.
    #[inline]
    fn low_bytes(self) -> u32 {
        (self.0 as u32 & 0xffff_0000) | (self.1 & 0xffff)
    }
}

/// A place among the recent ones.
#[inline]
fn slot(origin: &Origin) -> usize {
    let mixed = (origin.macs.low_bytes() ^ origin.interface).wrapping_mul(0x9e37_79b1);
    (mixed >> 20) as usize % RECENT
}

/// The MAC addresses around the IP packet that counts; zeros where there are none. In an opened VXLAN tunnel those of
/// the inner frame; Geneve and GRE carry bare IP.
#[inline]
fn macs(packet: &CapturedPacket<'_>, notes: Notes, ip_offset: u32) -> Macs {
    let found = if notes.contains(Note::Geneve) || notes.contains(Note::Gre) {
        None
    } else if notes.contains(Note::Vxlan) {
        // a VLAN tag between would move them; frames within a mirror have none
        let frame = (ip_offset as usize).checked_sub(14).and_then(|at| packet.data.get(at..));
        frame.and_then(Macs::in_frame)
    } else {
        match packet.link_type {
            LinkType::ETHERNET => Macs::in_frame(packet.data),
            LinkType::LINUX_SLL => packet.data.get(6..).and_then(Macs::of_sender),
            LinkType::LINUX_SLL2 => packet.data.get(12..).and_then(Macs::of_sender),
            _ => None,
        }
    };
    found.unwrap_or(Macs::NONE)
}

impl Points {
    /// What a point stands for.
    pub(super) fn get(&mut self, point: ObservationPoint) -> Sighted {
        if self.known.len() <= point.0 as usize {
            let points = self.points.lock().unwrap_or_else(PoisonError::into_inner);
            self.known.extend(points.iter().skip(self.known.len()));
        }
        let nowhere = Sighted { capture: 0, interface: 0, notes: Notes::NONE, from: None, to: None };
        self.known.get(point.0 as usize).copied().unwrap_or(nowhere)
    }
}
