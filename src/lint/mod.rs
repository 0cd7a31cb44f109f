//! What in a flow log cannot be true, or breaks what reads it.
//!
//! ```text
//! a line ─┬─ fast: proved clean by its bytes ───────────────────────────┐
//!         └─ line: its spacing, its values ─┐                           │
//! named values ─────────────────────────────┴─ value ─ record ─ recent ─┴─ findings
//! ```
//!
//! A [`Linter`] is given a log line by line, or record by record with named values, and says what is wrong as
//! [`Finding`]s, each by a [`Rule`]. It reads nothing itself and is pure but for what it remembers: the columns, the
//! records of the last stretch (for duplicates), and refused requests.
//!
//! Most lines of most logs are AWS's default format without a fault. [`Linter::is_clean`] proves that by a single look
//! at a line's bytes; every other line goes through the rules.
//!
//! If you change this: whatever `fast` takes must have no finding by the rules. A property in `tests.rs` holds them
//! together, and a rule about the default format needs a mutation there.

mod columns;
mod fast;
mod finding;
mod header;
mod json;
mod line;
mod linter;
mod options;
mod recent;
mod record;
mod rule;
mod target;
#[cfg(test)]
mod tests;
mod value;

pub use columns::LintColumn;
pub use finding::{Finding, FindingPlace};
pub use json::{FindingJson, characters};
pub use linter::Linter;
pub use options::{Level, LintOptions, UnknownRule};
pub use rule::Rule;
pub use target::{LogFacts, LogKind};
