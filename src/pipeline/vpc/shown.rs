//! What a record shows of its surroundings beside the packets: service, path, next hop.

use crate::record::{Field, FlowRecord, LogFormat};
use crate::vpc::{InterfaceIndex, PathEdition, Peer, Vpc};

/// Which groups of fields the format shows; what it does not show is not worked out.
#[derive(Clone, Copy, Debug)]
pub(in crate::pipeline) struct Shown {
    path: bool,
    services: bool,
    next_hop: bool,
    /// Whether any field depends on the packets' own addresses; else what differs only in them is one record.
    pub(in crate::pipeline) packet_addresses: bool,
}

impl Shown {
    pub(in crate::pipeline) fn new(format: &LogFormat) -> Shown {
        let any = |fields: &[Field]| fields.iter().any(|field| format.contains(*field));
        let mut shown = Shown {
            path: any(&[Field::TrafficPath]),
            services: any(&[Field::PktSrcAwsService, Field::PktDstAwsService]),
            next_hop: any(&[
                Field::NextHopInterfaceId,
                Field::NextHopSubnetId,
                Field::NextHopAzId,
                Field::NextHopVpcId,
                Field::NextHopInterfaceType,
            ]),
            packet_addresses: any(&[Field::PktSrcAddr, Field::PktDstAddr]),
        };
        shown.packet_addresses |= shown.path || shown.services || shown.next_hop;
        shown
    }

    /// Fills in what the VPC knows of a record that has its packets' addresses: of which interface, which way, and what
    /// is at the other end.
    pub(in crate::pipeline) fn fill(
        &self,
        record: &mut FlowRecord,
        vpc: &Vpc,
        interface: Option<InterfaceIndex>,
        egress: bool,
        peer: Option<Peer>,
        edition: PathEdition,
    ) {
        let (Some(source), Some(destination)) = (record.pkt_srcaddr, record.pkt_dstaddr) else { return };
        if self.services {
            record.pkt_src_aws_service = vpc.service(source).map(Into::into);
            record.pkt_dst_aws_service = vpc.service(destination).map(Into::into);
        }
        let Some(at) = interface else { return };
        let remote = if egress { destination } else { source };
        if self.path {
            let path = || vpc.traffic_path(at, remote, edition);
            record.traffic_path = if egress { path() } else { None };
        }
        if self.next_hop {
            let next = vpc.next_hop(at, egress, remote, peer);
            vpc.fill_next_hop(record, at, next);
        }
    }
}
