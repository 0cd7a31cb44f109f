//! Packet captures into AWS VPC Flow Log records, with every packet accounted for.

pub mod flow;
pub mod flowlog;
pub mod packet;
pub mod record;
