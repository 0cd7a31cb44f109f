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
#[derive(Debug, Default)]
pub(super) struct Points {
    points: Vec<Point>,
    numbers: HashMap<Point, ObservationPoint>,
    recent: Option<(Point, ObservationPoint)>,
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
        let point = Point { capture, interface, direction };
        match self.recent {
            Some((recent, number)) if recent == point => number,
            _ => self.find(point),
        }
    }

    #[inline(never)]
    fn find(&mut self, point: Point) -> ObservationPoint {
        let next = ObservationPoint(u32::try_from(self.points.len()).unwrap_or(u32::MAX));
        let number = *self.numbers.entry(point).or_insert(next);
        if number == next {
            self.points.push(point);
        }
        self.recent = Some((point, number));
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
