//! Two sides of the same traffic compared: every difference, each with its cause.
//!
//! ```text
//! packets ─► cells  ─┐
//!                    ├─ align ─ judge ─► Comparison
//! records ─► claims ─┘
//! ```
//!
//! 1. One side bears witness with [`Cell`]s: a capture with what each second held of each flow, a log with its records.
//!    The other makes [`Claim`]s: the records of a log, or the runs of a capture. Whichever is the reference, a
//!    capture that is compared with a log is the witness, because only packets can say what a record should be.
//! 2. `offset`: a clock offset that many flows agree on is taken off.
//! 3. `align`: flow by flow, which record stands for which cells. How AWS aligns its windows is not documented, so a
//!    record's own span says what it is compared with.
//! 4. `judge`: what does not fit gets the first [`Cause`] whose arithmetic fits, tried in the causes' order.
//!
//! No I/O, and nothing but numbers decides: a cause is claimed where its arithmetic fits, else a difference is
//! [`Cause::Unexplained`].

mod align;
mod cause;
mod cell;
mod claim;
mod compare;
mod coverage;
mod judge;
mod offset;
mod report;
mod sides;
mod surroundings;
mod tolerance;

pub use align::{Alignment, Fit, Placed, Run, Sides, fits_exactly};
pub use cause::{Cause, Judgement};
pub use cell::{Cell, PacketFacts, Sum};
pub use claim::Claim;
pub use compare::{CompareOptions, agree, compare};
pub use coverage::LogWindows;
pub use judge::LARGE_FLOW;
pub use offset::{ClockOffset, OffsetVotes};
pub use report::{Comparison, Difference, Finding, Kind, Outside, PacketSpan, Said, Verdict};
pub use sides::{Claims, FlowId, Witness};
pub use surroundings::{Ruling, Surroundings};
pub use tolerance::{Delta, ParseDeltaError, Tolerance};
