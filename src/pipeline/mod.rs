//! Where the rooms meet: captures in, flow log records out, and the ledger over every packet.
//!
//! ```text
//! capture ──► decode ──► filter ──► meter ──► flowlog
//!    │           │          │          │          │
//!    └───────────┴── ledger ┴──────────┴──────────┘
//! ```
//!
//! [`convert`] runs the whole of it; [`inspect`] only looks, [`inspect_log`] at a flow log; [`extract`] goes back from a record to its packets;
//! [`lint`] reads logs for what is wrong in them.

mod background;
mod convert;
mod delivery;
mod diff;
mod emit;
mod explain;
mod extract;
mod generate;
mod held;
mod inspect;
mod inspect_log;
mod intake;
pub mod kind;
mod ledger;
mod lint;
mod logs;
mod masked;
pub mod memory;
mod notes;
mod options;
mod ordered;
mod partials;
mod points;
mod progress;
mod quiz;
mod relog;
mod report;
mod score;
mod selection;
mod sink;
mod vpc;
mod watch;
mod workers;

pub use convert::{Conversion, ConvertError, convert, convert_into, with_causes};
pub use delivery::{BucketStore, EventForm, EventSink, ObjectDelivery, ObjectSink, RebaseTo, Rebased};
pub use diff::{BadRecord, DiffOptions, DiffReport, DiffSide, DiffVpc, LogProblem, SideSummary, diff};
pub use explain::{
    CountedPacket, ExplainOptions, Explained, ExplainedPacket, ExplainedRecord, Kind, LayerLoss, Loss,
    explain_flow, explain_packet, loss,
};
pub use extract::{ExtractError, ExtractOptions, Extracted, Extraction, Missed, extract};
pub use generate::{
    Container, GenerateOptions, Generated, ReadScenario, ReadScenarioError, WriteScenarioError, generate,
    read_scenario, write_adversarial,
};
pub use inspect::{
    AddressTraffic, Inspection, OutOfOrder, ProtocolTraffic, Sizes, Suggestion, TimeSpan, inspect,
};
pub use inspect_log::{ColumnsOfLog, LogInspection, inspect_log};
pub use ledger::{CaptureTally, DuplicateSights, Imbalance, Ledger, Notes, Tally, Total, VpcTotal};
pub use lint::{LintSummary, lint};
pub use logs::{FoundLogs, LogInput, find_logs};
pub use notes::LedgerNote;
pub use options::{Fragments, MeterOptions, RecordOptions, WindowOrigin};
pub use partials::{
    MergeError, Merged, MergedPartials, NotInParts, PartialInput, RowsError, convert_to_partials, opening,
    records_of_rows,
};
pub use progress::Progress;
pub use quiz::{QuizOptions, quiz_facts};
pub use relog::{BadRecordReason, LogImbalance, LogLedger, LogRecords, RelogOptions, Relogged, relog};
pub use report::{ReportOptions, ReportQuiz, ReportSources, Reported, report};
pub use score::{
    Against, ColumnError, ColumnMap, OutputError, Score, ScoreError, Share, TruthError, Wrong, score,
};
pub use selection::{PacketSelection, SecondSpan};
pub use sink::{EncodedOutput, RecordSink};
pub use vpc::{TrafficType, VpcOptions, convert_with_vpc, convert_with_vpc_into};
