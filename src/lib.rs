//! Packet captures into AWS VPC Flow Log records, with every packet accounted for.

pub mod capture;
pub mod flow;
pub mod packet;
