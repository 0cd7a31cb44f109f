//! The words for what is metered: the flow key, the windows that time is cut into, and the counters.
//!
//! Floor 0: plain values. "Flow key" and "metering" are RFC 7011's words; "aggregation interval" and "capture
//! window" are AWS's.

mod counters;
mod key;
mod pattern;
mod scope;
mod unlogged;
mod window;

pub use counters::FlowCounters;
pub use key::{FlowKey, MeteringKey, ObservationPoint};
pub use pattern::FlowPattern;
pub use scope::{is_of_a_host, may_be_of_aws};
pub use unlogged::{ParseCidrError, Unlogged, UnloggedTraffic, VpcCidr};
pub use window::{AggregationInterval, CaptureWindow, ParseIntervalError, WindowIndex, Windows};
