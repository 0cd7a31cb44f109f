//! What partial records tell packets apart by, beside the record's key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::capture::CaptureInfo;
use crate::flow::ObservationPoint;
use crate::partial::PartialKeys;

/// The names of the points, by their numbers: written by the reading side, read by the writing side.
type Names = Arc<Mutex<Vec<String>>>;

/// The reading side: numbers the points where packets were seen.
pub(in crate::pipeline) struct PartialSights {
    keys: PartialKeys,
    captures: Vec<String>,
    numbers: HashMap<(usize, u32), ObservationPoint>,
    /// The point asked for last.
    recent: Option<(usize, u32, ObservationPoint)>,
    names: Names,
}

/// The writing side: what the numbers stand for.
pub(super) struct PointNames {
    is_asked: bool,
    names: Names,
    known: Vec<String>,
}

impl PartialSights {
    /// The two ends, for captures of these names.
    pub(super) fn new(keys: PartialKeys, captures: Vec<String>) -> (PartialSights, PointNames) {
        let names = Names::default();
        let point_names =
            PointNames { is_asked: keys.observation_point, names: Arc::clone(&names), known: Vec::new() };
        (PartialSights { keys, captures, numbers: HashMap::new(), recent: None, names }, point_names)
    }

    /// What was asked for.
    pub(in crate::pipeline) fn keys(&self) -> PartialKeys {
        self.keys
    }

    /// The number of the point where a packet was seen; 0 where that was not asked for.
    #[inline]
    pub(in crate::pipeline) fn point(
        &mut self,
        capture: usize,
        interface: u32,
        info: Option<&CaptureInfo>,
    ) -> ObservationPoint {
        match self.recent {
            _ if !self.keys.observation_point => ObservationPoint(0),
            Some((same, interface_too, point)) if same == capture && interface_too == interface => point,
            _ => self.find(capture, interface, info),
        }
    }

    #[inline(never)]
    fn find(&mut self, capture: usize, interface: u32, info: Option<&CaptureInfo>) -> ObservationPoint {
        let next = ObservationPoint(u32::try_from(self.numbers.len()).unwrap_or(u32::MAX));
        let point = *self.numbers.entry((capture, interface)).or_insert(next);
        if point == next {
            let mut name = self.captures.get(capture).cloned().unwrap_or_default();
            let own = info.and_then(|info| info.interfaces.get(interface as usize)?.name.clone());
            let interface_name = own.or_else(|| (interface > 0).then(|| interface.to_string()));
            if let Some(interface_name) = interface_name {
                name.push_str(", interface ");
                name.push_str(&interface_name);
            }
            self.names.lock().unwrap_or_else(PoisonError::into_inner).push(name);
        }
        self.recent = Some((capture, interface, point));
        point
    }
}

impl PointNames {
    /// Learns the names of the points seen so far: to be called before flows are named that were counted until now.
    pub(super) fn learn(&mut self) {
        if self.is_asked {
            let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
            let new = names.get(self.known.len()..).unwrap_or_default();
            self.known.extend_from_slice(new);
        }
    }

    /// A point's name; `None` where nobody asked.
    pub(super) fn of(&self, point: ObservationPoint) -> Option<&str> {
        self.known.get(point.0 as usize).map(String::as_str)
    }
}
