//! Where a packet was sighted: the capture, what is noted of it there, and the interfaces that the frame's MAC addresses name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::drops::Drops;
use crate::capture::CaptureInfo;
use crate::flow::ObservationPoint;
use crate::packet::{CapturedPacket, LinkType, Note, Notes, Timestamp};
use crate::vpc::{InterfaceIndex, Mac, Vpc};

/// How many pairs of MAC addresses are remembered with their point.
const RECENT: usize = 4096;

/// What a point stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Sighted {
    pub(super) capture: usize,
    /// What is noted of its packets: the ledger notes only what goes into records.
    pub(super) notes: Notes,
    /// Who sent the frame.
    pub(super) from: Option<InterfaceIndex>,
    /// Whom it was sent to.
    pub(super) to: Option<InterfaceIndex>,
}

/// A frame's two MAC addresses, the receiver's first.
type Macs = [u8; 12];

/// The walk's part: gives each packet its point, and notices what captures lost.
pub(in crate::pipeline) struct InterfacesSeen {
    drops: Drops,
    /// The time of the last packet.
    last: Option<Timestamp>,
    vpc: Arc<Vpc>,
    with_macs: bool,
    numbers: HashMap<Sighted, ObservationPoint>,
    points: Arc<Mutex<Vec<Sighted>>>,
    recent: Vec<Option<(usize, Notes, Macs, ObservationPoint)>>,
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
            drops: Drops::default(),
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
        let at = slot(&macs);
        if let Some(Some((of, notes, same, point))) = self.recent.get(at)
            && *of == capture
            && *notes == noted
            && *same == macs
        {
            return *point;
        }
        self.find(capture, noted, macs, at)
    }

    /// Whether a capture's interface has lost packets up to this one.
    #[inline]
    pub(in crate::pipeline) fn lost(
        &mut self,
        capture: usize,
        interface: u32,
        info: Option<&CaptureInfo>,
        time: Timestamp,
    ) -> bool {
        self.last = Some(time);
        self.drops.grew(capture, interface as usize, info)
    }

    /// The time of the last packet, if statistics behind it tell of further losses.
    pub(in crate::pipeline) fn lost_at_end<'a>(
        &mut self,
        infos: impl Iterator<Item = Option<&'a CaptureInfo>>,
    ) -> Option<Timestamp> {
        let mut grew = false;
        for (capture, info) in infos.enumerate() {
            let interfaces = info.map_or(0, |info| info.interfaces.len());
            for interface in 0..interfaces {
                grew |= self.drops.grew(capture, interface, info);
            }
        }
        self.last.filter(|_| grew)
    }

    fn find(&mut self, capture: usize, notes: Notes, macs: Macs, at: usize) -> ObservationPoint {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = macs;
        let interface = |mac: [u8; 6]| self.vpc.interface_with(Mac(mac)).filter(|_| self.with_macs);
        let sighted = Sighted {
            capture,
            notes,
            from: interface([g, h, i, j, k, l]),
            to: interface([a, b, c, d, e, f]),
        };
        let next = ObservationPoint(u32::try_from(self.numbers.len()).unwrap_or(u32::MAX));
        let point = *self.numbers.entry(sighted).or_insert(next);
        if point == next {
            // nothing panics while it holds the lock
            self.points.lock().unwrap_or_else(PoisonError::into_inner).push(sighted);
        }
        if let Some(recent) = self.recent.get_mut(at) {
            *recent = Some((capture, notes, macs, point));
        }
        point
    }
}

/// A place among the recent ones: the low bytes of both addresses tell interfaces apart.
#[inline]
fn slot(macs: &Macs) -> usize {
    let [_, _, _, _, e, f, _, _, _, _, k, l] = *macs;
    let mixed = u32::from_be_bytes([e, f, k, l]).wrapping_mul(0x9e37_79b1);
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
        let nowhere = Sighted { capture: 0, notes: Notes::NONE, from: None, to: None };
        self.known.get(point.0 as usize).copied().unwrap_or(nowhere)
    }
}
