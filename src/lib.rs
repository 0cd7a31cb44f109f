//! Packet captures into AWS VPC Flow Log records, with every packet accounted for.
//!
//! ```text
//!  files, pipes                                                        records
//!       │                                                                 ▲
//!    capture ──► decode ──► filter ──► meter ──► record ──► flowlog ──────┘
//!  CapturedPacket  IpPacket    yes/no    flows in    FlowRecord  lines
//!       │            │           │       windows        │
//!       └────────────┴───────────┴──── pipeline ────────┘
//!                                         │
//!                                       Ledger: packets read = packets in records + packets skipped by reason
//! ```
//!
//! [`pipeline::convert`] runs the whole of it, [`pipeline::inspect`] only looks, [`pipeline::extract`] goes from a record
//! back to its packets:
//!
//! ```
//! use flowtruth::capture::CaptureInput;
//! use flowtruth::pipeline::{MeterOptions, Progress, RecordOptions, convert};
//! use flowtruth::record::{FlowRecord, LogFormat};
//!
//! let captures = vec![CaptureInput::Path("fixtures/captures/seed.pcap".into())];
//! let records = RecordOptions {
//!     format: LogFormat::preset("v2")?,
//!     header: false,
//!     identity: FlowRecord {
//!         account_id: Some("123456789012".into()),
//!         interface_id: Some("eni-abc123de".into()),
//!         ..FlowRecord::default()
//!     },
//! };
//! let mut output = Vec::new();
//! let conversion =
//!     convert(captures, &MeterOptions::default(), &records, &mut output, false, &Progress::new())?;
//!
//! assert_eq!(
//!     String::from_utf8(output)?,
//!     "2 123456789012 eni-abc123de 192.168.1.1 10.0.0.1 443 12345 6 10 840 1623101047 1623101107 ACCEPT OK\n"
//! );
//! // a capture that is damaged is no error: what came before the damage is in the records
//! assert!(conversion.failures.is_empty());
//! conversion.ledger.check()?;
//! assert_eq!(conversion.ledger.total.tally.packets_in_records, 10);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Modules
//!
//! | floor | module | what it holds |
//! |---|---|---|
//! | 0 | [`packet`] | the words for packets: a captured packet, an IP packet, times, flags, reasons to skip |
//! | 0 | [`flow`] | flow keys, capture windows, counters |
//! | 0 | [`record`] | the 54 fields, a record with a typed value for each, log formats |
//! | 0 | [`consumer`] | what reads flow logs, and what each reader insists on |
//! | 1 | [`capture`] | bytes → captured packets: pcap and pcapng, compressed or not, many files in time order; and back |
//! | 1 | [`decode`] | a captured packet → the IP packet that counts, or the reason why there is none |
//! | 1 | [`filter`] | tcpdump's words → which IP packets are wanted |
//! | 1 | [`kit`] | a log and who is to read it → its reader's configuration |
//! | 1 | [`meter`] | IP packets → counters for each window and flow, by the packets' own time |
//! | 1 | [`flowlog`] | records ↔ text, Parquet, JSON |
//! | 1 | [`lint`] | lines of a flow log → what in them cannot be true, or breaks what reads it |
//! | 1 | [`dissect`] | a captured packet, byte by byte → its header fields, and what a record has of each |
//! | 1 | [`mask`] | names and addresses → others that stand for them, by a key |
//! | 1 | [`diff`] | two sides of the same traffic → their differences, each with its cause |
//! | 1 | [`quiz`] | what is known of a capture → questions with choices |
//! | 1 | [`store`] | objects in S3, listed, read and written |
//! | 1 | [`vpc`] | the VPC around a capture → whose interface, which direction, `ACCEPT` or `REJECT`, which path |
//! | 1 | [`deliver`] | how AWS delivers logs: objects on S3 and their names, batches for CloudWatch Logs |
//! | 1 | [`generate`] | a scenario → frames, records, and the truth about both |
//! | 1 | [`report`] | what captures came to → one page of HTML |
//! | 1 | [`partial`] | counters of flows and windows ↔ rows that add up, in Arrow and Parquet |
//! | 2 | [`pipeline`] | where they meet; the ledger |
//!
//! A module uses only what stands on a floor below its own. Bad packets are counted and never errors, bad captures end
//! with a [`capture::CaptureError`], and no time but the packets' own decides anything. How packets are counted is
//! written down rule by rule in `docs/accounting.md`, why the parts are as they are in `docs/architecture.md` and
//! `docs/decisions.md`.

pub mod capture;
pub mod consumer;
pub mod decode;
pub mod deliver;
pub mod diff;
pub mod dissect;
pub mod filter;
pub mod flow;
pub mod flowlog;
pub mod generate;
pub mod kit;
pub mod lint;
pub mod mask;
pub mod meter;
pub mod packet;
pub mod partial;
pub mod pipeline;
pub mod quiz;
mod random;
pub mod record;
pub mod report;
pub mod store;
pub mod vpc;

/// The Rust in the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
