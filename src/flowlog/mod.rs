//! Flow logs: [`FlowRecord`](crate::record::FlowRecord)s as bytes, and back.
//!
//! Each file format is a module of its own that knows bytes only, not files.

pub mod encode;
pub mod read;
pub mod text;
