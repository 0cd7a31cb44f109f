//! Which record counts which packet.
//!
//! Without a VPC a record has its packets' own 5-tuple. With one an interface may show its primary address in place of the
//! packet's, on its own side: the sender's where packets go out, the receiver's where they come in. So packets are looked up
//! by the address of the other side.

use std::net::IpAddr;

use super::beginning::Placed;
use super::gather::flow;
use crate::flow::FlowKey;
use crate::meter::{Observation, Placement};
use crate::packet::{PacketDirection, Protocol};
use crate::record::{FlowDirection, FlowRecord};
use crate::vpc::Vpc;

/// What a packet and its record have in common, whatever address the record shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Half {
    placement: Placement,
    /// How often windows had closed, if it is late.
    closings: usize,
    protocol: Protocol,
    ports: (u16, u16),
    address: IpAddr,
    is_source: bool,
}

impl Half {
    fn new(placement: Placement, closings: usize, flow: &FlowKey, is_source: bool) -> Half {
        Half {
            placement,
            closings: if placement.late { closings } else { 0 },
            protocol: flow.protocol,
            ports: (flow.srcport, flow.dstport),
            address: if is_source { flow.srcaddr } else { flow.dstaddr },
            is_source,
        }
    }

    /// Under which a packet is found.
    pub(super) fn of_packet(placed: &Placed, with_vpc: bool) -> Vec<Half> {
        let half =
            |is_source| Half::new(placed.placement, placed.closings, &placed.observation.key.flow, is_source);
        if with_vpc { vec![half(false), half(true)] } else { vec![half(false)] }
    }

    /// Under which a record looks for its packets.
    pub(super) fn of_record(
        record: &FlowRecord,
        placement: Placement,
        closings: usize,
        with_vpc: bool,
    ) -> Option<Half> {
        let comes_in = with_vpc && record.flow_direction == Some(FlowDirection::Ingress);
        Some(Half::new(placement, closings, &flow(record)?, comes_in))
    }
}

/// Whether a record counts a packet that was found under its half.
pub(super) fn is_of(record: &FlowRecord, packet: &Observation, vpc: Option<&Vpc>) -> bool {
    let Some(own) = flow(record) else { return false };
    let (said, key) = (packet.key.flow, packet.key);
    let Some(vpc) = vpc else {
        let goes = match key.direction {
            PacketDirection::Inbound => record.flow_direction == Some(FlowDirection::Ingress),
            PacketDirection::Outbound => record.flow_direction == Some(FlowDirection::Egress),
            PacketDirection::Unknown => true,
        };
        return own == said && goes;
    };
    let second = packet.time.seconds();
    let is_then =
        record.start.is_some_and(|start| start <= second) && record.end.is_some_and(|end| second <= end);
    let at = record.interface_id.as_deref().and_then(|id| vpc.interface_named(id));
    let shown = |address| at.map_or(address, |at| vpc.shown_address(at, address));
    let shows = match (at, record.flow_direction) {
        (Some(_), Some(FlowDirection::Egress)) => {
            FlowKey { srcaddr: own.srcaddr, ..said } == own && own.srcaddr == shown(said.srcaddr)
        }
        (Some(_), Some(FlowDirection::Ingress)) => {
            FlowKey { dstaddr: own.dstaddr, ..said } == own && own.dstaddr == shown(said.dstaddr)
        }
        _ => own == said,
    };
    // where the packets' own addresses are told, they tell apart what else looks alike
    let is_shown_only = record.pkt_srcaddr == record.srcaddr && record.pkt_dstaddr == record.dstaddr;
    let is_own = record.pkt_srcaddr == Some(said.srcaddr) && record.pkt_dstaddr == Some(said.dstaddr);
    is_then && shows && (is_shown_only || is_own)
}
