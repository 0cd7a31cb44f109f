//! What a capture, its records and a log came to → one page of HTML; pure.
//!
//! ```text
//! ReportData ──► json   what the script draws: packets, records, windows, differences
//!            └─► page   what stands in the page without it: sentences, tables, the ledger
//! ```
//!
//! The page loads nothing: style and script are in it, and its Content-Security-Policy names both by their hash, so that
//! nothing else runs. Two things keep strings of hostile captures from becoming markup: the templates escape every value,
//! and the JSON has no character that ends a script. The script itself writes text only, never markup.
//!
//! Each section is a template of its own in `src/report/templates`; `page.html` puts them together.

mod data;
mod json;
mod page;
mod view;

pub use data::{
    CaptureAbout, CauseAbout, ColumnAbout, ComparisonAbout, DifferenceAbout, Histogram, Kept, LayerAbout,
    LedgerAbout, LedgerPart, PacketAbout, PacketFate, PartAbout, PathAbout, QuestionAbout, RecordAbout,
    ReportData, Sample, StepAbout, WindowAbout,
};
pub use page::page;
