//! Packet captures into AWS VPC Flow Log records, with every packet accounted for.

pub mod decode;
pub mod flow;
pub mod meter;
pub mod flowlog;
pub mod packet;
pub mod record;
