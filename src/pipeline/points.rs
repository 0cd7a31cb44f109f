//! Observation points: each capture's each interface, interned to a number.

use std::collections::HashMap;

use crate::flow::ObservationPoint;
use crate::packet::PacketDirection;

/// What a point stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Point {
    capture: usize,
    interface: u32,
    direction: PacketDirection,
}

/// The points seen so far, numbered in the order of their first packet.
#[derive(Debug)]
pub(super) struct Points {
    points: Vec<Point>,
    numbers: HashMap<Point, ObservationPoint>,
    /// The point asked for last, in one number, and its own.
    recent: (u64, ObservationPoint),
}

impl Default for Points {
    fn default() -> Self {
        // no point has this number
        Points { points: Vec::new(), numbers: HashMap::new(), recent: (u64::MAX, ObservationPoint(0)) }
    }
}

impl Points {
    /// The number of the point where a packet was seen.
    #[inline]
    pub(super) fn of(
        &mut self,
        capture: usize,
        interface: u32,
        direction: PacketDirection,
    ) -> ObservationPoint {
        // one comparison; as many captures as to fill 30 bits do not fit the memory
        let code = (capture as u64) << 34 | u64::from(interface) << 2 | direction as u64;
        match self.recent {
            (recent, number) if recent == code => number,
            _ => self.find(Point { capture, interface, direction }, code),
        }
    }

    #[inline(never)]
    fn find(&mut self, point: Point, code: u64) -> ObservationPoint {
        let next = ObservationPoint(u32::try_from(self.points.len()).unwrap_or(u32::MAX));
        let number = *self.numbers.entry(point).or_insert(next);
        if number == next {
            self.points.push(point);
        }
        self.recent = (code, number);
        number
    }

    /// A point in words: the capture, its interface where it has several, and the direction where it is known.
    pub(super) fn describe(
        &self,
        point: ObservationPoint,
        interface_name: impl Fn(usize, u32) -> (String, Option<String>),
    ) -> String {
        let Some(Point { capture, interface, direction }) = self.points.get(point.0 as usize) else {
            return "elsewhere".to_owned();
        };
        let (path, interface) = interface_name(*capture, *interface);
        let mut text = path;
        if let Some(interface) = interface {
            text.push_str(", interface ");
            text.push_str(&interface);
        }
        match direction {
            PacketDirection::Inbound => text.push_str(", inbound"),
            PacketDirection::Outbound => text.push_str(", outbound"),
            PacketDirection::Unknown => {}
        }
        text
    }
}
