//! Packet captures into AWS VPC Flow Log records, with every packet accounted for.

pub mod capture;
pub mod decode;
pub mod filter;
pub mod flow;
pub mod flowlog;
pub mod meter;
pub mod packet;
pub mod pipeline;
pub mod record;
