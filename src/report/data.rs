//! What a page is made of: plain values, already in the words in which they are shown.

use crate::packet::Timestamp;
use crate::record::Action;

/// All there is, or a part of it and the rule by which it was chosen.
#[derive(Clone, Debug)]
pub struct Sample<T> {
    /// Those on the page.
    pub shown: Vec<T>,
    /// How many there are in all.
    pub total: u64,
    /// Which ones are shown where not all are, as the end of a sentence: `the first 600 that were read`.
    pub rule: String,
}

/// There is none.
impl<T> Default for Sample<T> {
    fn default() -> Self {
        Sample { shown: Vec::new(), total: 0, rule: String::new() }
    }
}

impl<T> Sample<T> {
    /// Whether some are not on the page.
    pub fn is_part(&self) -> bool {
        self.total > self.shown.len() as u64
    }
}

/// Everything on a page.
#[derive(Clone, Debug, Default)]
pub struct ReportData {
    /// The captures.
    pub captures: Vec<CaptureAbout>,
    /// How records were made: an option's name and its value.
    pub settings: Vec<(&'static str, String)>,
    /// What became of every packet.
    pub ledger: LedgerAbout,
    /// The fields of a record, in the order of the log format.
    pub columns: Vec<ColumnAbout>,
    /// The records, in the order in which `convert` writes them; by time and masked flow where names are masked.
    pub records: Sample<RecordAbout>,
    /// Packets, in the order in which they were read.
    pub packets: Sample<PacketAbout>,
    /// The windows that hold packets, in the order in which they were closed.
    pub windows: Sample<WindowAbout>,
    /// The packets that are in records, counted over the whole time.
    pub histogram: Histogram,
    /// The ways through a VPC that records refer to.
    pub paths: Sample<PathAbout>,
    /// What a flow log says, held against the captures.
    pub comparison: Option<ComparisonAbout>,
    /// Questions, where they were asked for.
    pub quiz: Vec<QuestionAbout>,
    /// Whether a VPC was described.
    pub has_vpc: bool,
    /// Whether payload was asked for.
    pub with_payload: bool,
    /// Whether names and addresses are masked.
    pub is_masked: bool,
}

/// A capture, and what it says about itself.
#[derive(Clone, Debug, Default)]
pub struct CaptureAbout {
    /// Its name.
    pub name: String,
    /// What it is in words: the container, the link type, its machine and its interfaces.
    pub facts: Vec<(&'static str, String)>,
    /// Why it could not be read to its end.
    pub failure: Option<String>,
}

/// A part of the packets that were read.
#[derive(Clone, Debug)]
pub struct LedgerPart {
    /// The reason's or the note's name, as the ledger has it.
    pub name: String,
    /// What it means.
    pub meaning: String,
    /// How many packets.
    pub packets: u64,
}

/// The ledger in numbers: `read` is `in_records` and all that were skipped.
#[derive(Clone, Debug, Default)]
pub struct LedgerAbout {
    /// Packets read.
    pub read: u64,
    /// Packets in records.
    pub in_records: u64,
    /// Packets in no record, by reason, the most first.
    pub skipped: Vec<LedgerPart>,
    /// What is to be known of packets in records.
    pub notes: Vec<LedgerPart>,
    /// IP bytes in records.
    pub ip_bytes: u64,
    /// Bytes of the frames on the wire.
    pub frame_bytes: u64,
}

/// A field of a record.
#[derive(Clone, Copy, Debug)]
pub struct ColumnAbout {
    /// AWS's name.
    pub name: &'static str,
    /// What its value says.
    pub meaning: &'static str,
    /// Whether it is a number, to be sorted as one.
    pub is_number: bool,
}

/// A record.
#[derive(Clone, Debug, Default)]
pub struct RecordAbout {
    /// Its place among all records, from 1; among those of the page where names are masked.
    pub number: u64,
    /// The flow in words.
    pub flow: String,
    /// Its values, one a column.
    pub values: Vec<String>,
    /// `ACCEPT` or `REJECT`, where it says so.
    pub action: Option<Action>,
    /// Its first second, since 1970.
    pub start: Option<i64>,
    /// Its last second.
    pub end: Option<i64>,
    /// How many packets it counts.
    pub packets: u64,
    /// How many bytes.
    pub bytes: u64,
    /// Its window, where that is on the page.
    pub window: Option<usize>,
    /// Whether its packets came after their window had closed.
    pub late: bool,
    /// Which rule decided its action.
    pub why: Option<String>,
    /// Its way through the VPC, one of [`ReportData::paths`].
    pub path: Option<usize>,
}

/// What became of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PacketFate {
    /// It is counted in these records of the page, by their place on it.
    InRecords(Vec<usize>),
    /// It is in no record.
    Skipped {
        /// The reason as the ledger names it.
        reason: String,
        /// What that means.
        meaning: String,
    },
    /// It was not followed to its record, and the ledger counts it all the same.
    NotFollowed,
}

/// A packet.
#[derive(Clone, Debug)]
pub struct PacketAbout {
    /// Its number in its capture, from 1.
    pub number: u64,
    /// Its capture's place among the captures.
    pub capture: usize,
    /// When it was captured.
    pub time: Option<Timestamp>,
    /// From whom to whom by which protocol, in words; of what is no IP packet, what it is.
    pub flow: String,
    /// What it adds to `bytes`: its IP length, if it is an IP packet.
    pub ip_length: Option<u32>,
    /// Its length on the wire, in bytes.
    pub frame_length: u32,
    /// Its TCP flags in words.
    pub flags: String,
    /// What became of it.
    pub fate: PacketFate,
    /// Its headers.
    pub layers: Vec<LayerAbout>,
}

/// A header, or what is behind the last.
#[derive(Clone, Debug)]
pub struct LayerAbout {
    /// `IPv4`, `TCP`, …
    pub name: &'static str,
    /// Whether it belongs to the IP packet that is counted.
    pub counted: bool,
    /// Its fields.
    pub parts: Vec<PartAbout>,
}

/// What a record has of a header field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// The value itself.
    Whole,
    /// It is added up.
    Summed,
    /// It says what follows.
    Steers,
    /// Nothing.
    Lost,
}

/// A header field.
#[derive(Clone, Debug)]
pub struct PartAbout {
    /// Its name in the standard's words.
    pub name: &'static str,
    /// Where it begins in the frame.
    pub offset: usize,
    /// How many bytes of it were captured.
    pub length: usize,
    /// Its value; `None` where it was not captured.
    pub value: Option<String>,
    /// Its bytes in hexadecimal, two digits each. Empty where they are payload that was not asked for.
    pub bytes: String,
    /// What a record has of it.
    pub kept: Kept,
    /// The columns that it goes into.
    pub columns: Vec<usize>,
}

/// A window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowAbout {
    /// Its first and last but one nanosecond since 1970; `None` where one window takes everything.
    pub span: Option<(i128, i128)>,
    /// Whether these are its late packets.
    pub late: bool,
    /// Records.
    pub records: u64,
    /// Packets in them.
    pub packets: u64,
}

/// Packets counted over time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// How long a bin is, in nanoseconds.
    pub width: i128,
    /// The bins that hold packets: their beginning in nanoseconds since 1970, packets, IP bytes.
    pub bins: Vec<(i128, u64, u64)>,
}

/// What a packet meets at an interface of a VPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepAbout {
    /// The interface.
    pub interface: String,
    /// `ingress` or `egress`.
    pub direction: &'static str,
    /// `ACCEPT`, `REJECT`, or `-` where it cannot be decided.
    pub action: &'static str,
    /// The rule that decides.
    pub why: String,
    /// What each of those asked says, in the order in which they are asked: who, the answer, why.
    pub asked: Vec<(&'static str, &'static str, String)>,
}

/// A flow's way through a VPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathAbout {
    /// The flow in words.
    pub flow: String,
    /// What its first packet meets.
    pub packet: Vec<StepAbout>,
    /// What the reply to it meets.
    pub reply: Vec<StepAbout>,
}

/// A difference between captures and a log.
#[derive(Clone, Debug)]
pub struct DifferenceAbout {
    /// `missing`, `extra`, `counts`, …
    pub kind: &'static str,
    /// The flow in words.
    pub flow: String,
    /// Its first second.
    pub start: i64,
    /// Its last second.
    pub end: i64,
    /// What the captures say.
    pub capture: String,
    /// What the log says.
    pub log: String,
    /// The cause's name.
    pub cause: &'static str,
    /// Whether both sides are right all the same.
    pub explained: bool,
    /// The evidence.
    pub detail: String,
    /// The log's line, from 1.
    pub line: Option<u64>,
    /// The records on the page that it is about.
    pub records: Vec<usize>,
}

/// A cause, and how many differences it is behind.
#[derive(Clone, Debug)]
pub struct CauseAbout {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub meaning: String,
    /// How many differences.
    pub differences: u64,
    /// Whether it explains them.
    pub explained: bool,
}

/// A comparison with a log.
#[derive(Clone, Debug, Default)]
pub struct ComparisonAbout {
    /// The logs.
    pub logs: Vec<String>,
    /// `same`, `explained` or `different`.
    pub verdict: &'static str,
    /// Records of the log that agree.
    pub matched: u64,
    /// The log's clock less the capture's, in seconds.
    pub clock_offset_seconds: f64,
    /// Causes, the most frequent first.
    pub causes: Vec<CauseAbout>,
    /// What is behind many differences.
    pub findings: Vec<String>,
    /// The differences, what nothing explains first.
    pub differences: Sample<DifferenceAbout>,
    /// What could not be compared, in words.
    pub not_compared: Vec<String>,
}

/// A question with choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuestionAbout {
    /// Lines to look at: packets, records.
    pub shown: Vec<String>,
    /// What is asked.
    pub text: String,
    /// What can be answered.
    pub choices: Vec<String>,
    /// Which of the choices is right, from 0.
    pub answer: usize,
    /// That choice.
    pub right: String,
    /// Why.
    pub explanation: String,
    /// The lesson that says more.
    pub page: &'static str,
}
