//! A conversion with the VPC around the captures.
//!
//! ```text
//!   walk (as without) ──► Batch ──► Judge ──► Batch ──► Meter ──► VpcEmitter ──► lines
//!   keys with MAC          │          │ rules once a      │          │ each flow's sights,
//!   addresses and          │          │ flow and state,   │          │ addresses as records show
//!   ICMP types             │          │ one class a       │          │ them, sorted once more
//!                          │          ▼ verdict           │          ▼
//! ```
//!
//! 1. [`InterfacesSeen`] is the walk's part: it turns a frame's MAC addresses into interfaces, as an observation point.
//! 2. [`Judge`](judge::Judge) finds the interfaces that a packet passes, puts it to their rules, and writes the outcome
//!    into the key as a class (`classes`): which interfaces, which way, which action. What AWS does not log, or was not
//!    asked for, ends here.
//!    Packets that go on under one class and in one window are summed where they are judged.
//! 3. The meter counts by flow and class, as it counts everything.
//! 4. `emit` makes of each flow one record a sight, and `gaps` says which records without data are due. A comparison
//!    takes the sights themselves (`sights`).
//!
//! The judge sees every packet in the order of the walk, whatever the number of threads, so the results do not depend
//! on it.

mod classes;
mod convert;
mod drops;
mod emit;
mod empty;
mod flows;
mod gaps;
mod judge;
mod judging;
mod options;
mod outcome;
mod rows;
mod shown;
mod sighting;
mod sights;
mod slots;

pub(super) use convert::Converting;
pub use convert::{convert_with_vpc, convert_with_vpc_into};
pub use options::{TrafficType, VpcOptions};
pub(super) use shown::Shown;
pub(super) use sighting::InterfacesSeen;
pub(super) use sights::{Sight, each_sight};
