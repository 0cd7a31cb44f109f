//! Where the rooms meet: captures in, flow log records out, and the ledger over every packet.
//!
//! ```text
//! capture ──► decode ──► filter ──► meter ──► flowlog
//!    │           │          │          │          │
//!    └───────────┴── ledger ┴──────────┴──────────┘
//! ```
//!
//! [`convert`] runs the whole of it; [`inspect`] only looks; [`extract`] goes back from a record to its packets.

mod background;
mod convert;
mod diff;
mod emit;
mod extract;
mod held;
mod inspect;
mod intake;
mod ledger;
mod options;
mod ordered;
mod points;
mod progress;
mod selection;
mod vpc;
mod workers;

pub use convert::{Conversion, ConvertError, convert, with_causes};
pub use diff::{
    BadRecord, DiffOptions, DiffReport, DiffSide, DiffVpc, LogInput, LogProblem, SideSummary, diff,
};
pub use extract::{ExtractError, ExtractOptions, Extracted, Extraction, Missed, extract};
pub use inspect::{
    AddressTraffic, Inspection, OutOfOrder, ProtocolTraffic, Sizes, Suggestion, TimeSpan, inspect,
};
pub use ledger::{CaptureTally, DuplicateSights, Imbalance, Ledger, Notes, Tally, Total, VpcTotal};
pub use options::{Fragments, MeterOptions, RecordOptions, WindowOrigin};
pub use progress::Progress;
pub use selection::{PacketSelection, SecondSpan};
pub use vpc::{TrafficType, VpcOptions, convert_with_vpc};
