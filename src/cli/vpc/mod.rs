//! The VPC around a capture: what is typed of it, how it is read, what is said of it.

pub mod args;
pub mod convert;
pub mod explain;
pub mod load;
pub mod page;
