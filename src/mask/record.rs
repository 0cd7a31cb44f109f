//! Records: each field as what it is.

use crate::flow::FlowKey;
use crate::record::{Field, FlowRecord, Value};

use super::Mask;

impl Mask {
    /// The flow that stands for a flow: its addresses are masked.
    pub fn flow(&self, flow: &FlowKey) -> FlowKey {
        FlowKey { srcaddr: self.address(flow.srcaddr), dstaddr: self.address(flow.dstaddr), ..*flow }
    }

    /// The record that stands for a record: addresses, and whatever names the user's things. Regions and zones, services
    /// of AWS, ports, counts and times stay.
    pub fn record(&self, record: &FlowRecord) -> FlowRecord {
        let mut masked = record.clone();
        for field in Field::ALL {
            let text = match field.get(record) {
                Value::Addr(address) => self.address(address).to_string(),
                Value::Text(name) if is_name(field) => self.name(name),
                _ => continue,
            };
            // an address or a word is read where one was
            if field.read(&mut masked, &text).is_err() {
                field.clear(&mut masked);
            }
        }
        masked
    }
}

/// Whether a field's values are names that somebody gave, or that lead to somebody.
fn is_name(field: Field) -> bool {
    match field {
        Field::AccountId
        | Field::InterfaceId
        | Field::VpcId
        | Field::SubnetId
        | Field::InstanceId
        | Field::SublocationId
        | Field::EcsClusterArn
        | Field::EcsClusterName
        | Field::EcsContainerInstanceArn
        | Field::EcsContainerInstanceId
        | Field::EcsContainerId
        | Field::EcsSecondContainerId
        | Field::EcsServiceName
        | Field::EcsTaskDefinitionArn
        | Field::EcsTaskArn
        | Field::EcsTaskId
        | Field::ResourceId
        | Field::InstanceTag
        | Field::InstanceTag2
        | Field::InterfaceTag
        | Field::InterfaceTag2
        | Field::AsgTag
        | Field::AsgTag2
        | Field::NextHopInterfaceId
        | Field::NextHopSubnetId
        | Field::NextHopVpcId => true,
        Field::Version
        | Field::SrcAddr
        | Field::DstAddr
        | Field::SrcPort
        | Field::DstPort
        | Field::Protocol
        | Field::Packets
        | Field::Bytes
        | Field::Start
        | Field::End
        | Field::Action
        | Field::LogStatus
        | Field::TcpFlags
        | Field::Type
        | Field::PktSrcAddr
        | Field::PktDstAddr
        | Field::Region
        | Field::AzId
        | Field::SublocationType
        | Field::PktSrcAwsService
        | Field::PktDstAwsService
        | Field::FlowDirection
        | Field::TrafficPath
        | Field::RejectReason
        | Field::EncryptionStatus
        | Field::InterfaceType
        | Field::NextHopAzId
        | Field::NextHopInterfaceType => false,
    }
}
