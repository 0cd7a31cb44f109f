//! Packet captures into AWS VPC Flow Log records, with every packet accounted for.

pub mod filter;
pub mod flow;
pub mod packet;
