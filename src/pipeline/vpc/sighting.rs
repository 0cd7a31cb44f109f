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

/// A frame's two MAC addresses, the receiver's first.
type Macs = [u8; 12];

/// Where a packet came from, as far as its frame says, and its point.
#[derive(Clone, Copy)]
struct Recent {
    origin: Origin,
    point: ObservationPoint,
}

/// What tells points apart.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Origin {
    capture: usize,
    interface: u32,
    notes: Notes,
    macs: Macs,
}

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
    recent: Vec<Option<Recent>>,
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
            recent: vec![None; RECENT],
        };
        (seen, Points { points, known: Vec::new() })
    }

    /// The point of a packet.
    #[inline]
    pub(in crate::pipeline) fn point(
        &mut self,
        capture: usize,
        packet: &CapturedPacket<'_>,
        noted: Notes,
        ip_offset: u32,
    ) -> ObservationPoint {
        let macs = if self.with_macs { macs(packet, noted, ip_offset) } else { [0; 12] };
        let origin = Origin { capture, interface: packet.interface, notes: noted, macs };
        let at = slot(&origin);
        if let Some(Some(recent)) = self.recent.get(at)
            && recent.origin == origin
        {
            return recent.point;
        }
        self.find(origin, at)
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

    fn find(&mut self, origin: Origin, at: usize) -> ObservationPoint {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = origin.macs;
        let interface_with = |mac: [u8; 6]| self.vpc.interface_with(Mac(mac)).filter(|_| self.with_macs);
        let sighted = Sighted {
            capture: origin.capture,
            interface: origin.interface,
            notes: origin.notes,
            from: interface_with([g, h, i, j, k, l]),
            to: interface_with([a, b, c, d, e, f]),
        };
        let next = ObservationPoint(u32::try_from(self.numbers.len()).unwrap_or(u32::MAX));
        let point = *self.numbers.entry(sighted).or_insert(next);
        if point == next {
            // nothing panics while it holds the lock
            self.points.lock().unwrap_or_else(PoisonError::into_inner).push(sighted);
        }
        if let Some(recent) = self.recent.get_mut(at) {
            *recent = Some(Recent { origin, point });
        }
        point
    }
}

/// A place among the recent ones: the low bytes of both addresses tell interfaces apart.
#[inline]
fn slot(origin: &Origin) -> usize {
    let [_, _, _, _, e, f, _, _, _, _, k, l] = origin.macs;
    let mixed = (u32::from_be_bytes([e, f, k, l]) ^ origin.interface).wrapping_mul(0x9e37_79b1);
    (mixed >> 20) as usize % RECENT
}

/// The MAC addresses around the IP packet that counts; zeros where there are none. In an opened VXLAN tunnel those of
/// the inner frame; Geneve and GRE carry bare IP.
#[inline]
fn macs(packet: &CapturedPacket<'_>, notes: Notes, ip_offset: u32) -> Macs {
    let bytes = |at: usize| packet.data.get(at..).and_then(|data| data.first_chunk::<12>()).copied();
    let source = |at: usize| {
        let mut macs = [0; 12];
        if let Some(source) = packet.data.get(at..).and_then(|data| data.first_chunk::<6>())
            && let Some(place) = macs.last_chunk_mut::<6>()
        {
            *place = *source;
        }
        Some(macs)
    };
    let found = if notes.contains(Note::Geneve) || notes.contains(Note::Gre) {
        None
    } else if notes.contains(Note::Vxlan) {
        // a VLAN tag between would move them; frames within a mirror have none
        (ip_offset as usize).checked_sub(14).and_then(bytes)
    } else {
        match packet.link_type {
            LinkType::ETHERNET => bytes(0),
            LinkType::LINUX_SLL => source(6),
            LinkType::LINUX_SLL2 => source(12),
            _ => None,
        }
    };
    found.unwrap_or_default()
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
