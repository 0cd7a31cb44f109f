//! `report`: captures, and a log if there is one, in; everything that a page shows, out.
//!
//! 1. The captures are converted as `convert` does it, so the numbers are its numbers. On the way a [`Watcher`] counts all
//!    packets over time and remembers the first of them with their places; a [`Gather`] takes the records that these are in,
//!    and the largest of the others. Both are bounded, whatever the capture.
//! 2. The beginning of the captures is read once more, for the headers of the first packets (`packets`).
//! 3. With a log, `diff` compares both (`differences`); with a VPC, the ways of the flows that are shown are followed
//!    (`paths`).
//! 4. What is shown is chosen, by rules that depend on the packets alone, and put in words. Every address and every name
//!    passes [`Shown`].

mod about;
mod beginning;
mod bins;
mod differences;
mod gather;
mod left_out;
mod matching;
mod packets;
mod paths;
mod quiz;
mod shown;

use std::collections::{BTreeMap, HashMap};

use self::beginning::{Beginning, Watcher};
use self::gather::{Gather, Gathered, RECORDS, Taken, WINDOWS, flow};
use self::left_out::LeftOut;
use self::packets::{PACKETS, Read, Reading};
use self::paths::{Asked, Paths, paths};
pub use self::quiz::ReportQuiz;
use self::quiz::quiz;
use self::shown::{Masked, Shown, names};
use super::convert::convert_watched;
use super::diff::again::Captures;
use super::vpc::Converting;
use super::{
    Conversion, ConvertError, DiffOptions, DiffReport, DiffSide, LogInput, MeterOptions, Progress,
    RecordOptions, VpcOptions, diff,
};
use crate::capture::CaptureInput;
use crate::mask::{KnownNames, Mask};
use crate::record::LogFormat;
use crate::report::{ComparisonAbout, PacketAbout, PacketFate, RecordAbout, ReportData, Sample};
use crate::vpc::Vpc;

/// What a report is made of.
pub struct ReportSources {
    /// Captures, read in time order as one; more than once, so that what comes from a pipe is copied to the temporary
    /// directory.
    pub captures: Vec<CaptureInput>,
    /// Flow logs that the captures are held against; none, if there are none.
    pub logs: Vec<LogInput>,
    /// The fields of logs that do not name them.
    pub log_format: Option<LogFormat>,
}

/// How a report is made.
pub struct ReportOptions {
    /// How packets are read and metered.
    pub meter: MeterOptions,
    /// How records are made.
    pub records: RecordOptions,
    /// The VPC around the captures.
    pub vpc: Option<VpcOptions>,
    /// How captures and logs are compared.
    pub compare: DiffOptions,
    /// Whether payload is shown; never where names are masked.
    pub with_payload: bool,
    /// Masks names and addresses.
    pub mask: Option<Mask>,
    /// Questions about the capture, which has to be one file. They are about the records of all its packets, without a VPC,
    /// whatever else the options select; so whoever asks for them leaves that out.
    pub quiz: Option<ReportQuiz>,
}

/// What a report came to.
pub struct Reported {
    /// What the page shows.
    pub data: ReportData,
    /// The conversion: the ledger, and what could not be read.
    pub conversion: Conversion,
    /// The comparison, if there is a log.
    pub comparison: Option<DiffReport>,
}

/// Gathers what a page shows.
///
/// # Errors
/// As [`convert`](super::convert): only where the temporary directory is needed and cannot be used.
pub fn report(
    sources: ReportSources,
    options: &ReportOptions,
    progress: &Progress,
) -> Result<Reported, ConvertError> {
    let ReportOptions { meter, records, vpc, compare, mask, .. } = options;
    let with_payload = options.with_payload && mask.is_none();
    let ReportSources { captures, logs, log_format } = sources;
    let quiz = match (options.quiz, captures.as_slice()) {
        (Some(asked), [CaptureInput::Path(path)]) => quiz(path, asked, meter, records, mask.as_ref()),
        _ => Vec::new(),
    };
    let mut captures = Captures::from(captures);
    let beginning = Beginning::default();
    // second sights and held fragments may be among the first packets that are read, so that some more are remembered
    let mut watcher = Watcher::new(beginning.clone(), 2 * PACKETS);
    let mut gather = Gather::new(beginning, vpc.as_ref().map(|vpc| vpc.vpc.clone()));
    let conversion = match vpc {
        None => convert_watched(captures.open(), meter, records, &mut gather, &mut watcher, false, progress)?,
        Some(vpc) => {
            let options = &VpcOptions { why: true, ..vpc.clone() };
            let converting = Converting { meter, records, options, write_after_interrupt: false, progress };
            converting.run(captures.open(), &mut gather, &mut watcher)?
        }
    };
    let mut gathered = gather.into_gathered();
    let shown = |names| Shown { masked: mask.as_ref().map(|mask| Masked { mask, names }) };
    let placed = std::mem::take(&mut gathered.placed);
    // headers hold no sentences
    let unknown = KnownNames::default();
    let reading =
        Reading { meter, format: &records.format, placed: &placed, with_payload, shown: shown(&unknown) };
    let (read, infos) = reading.read(captures.open());
    let around = vpc.as_ref().map(|vpc| &*vpc.vpc);
    let windows = Sample {
        total: gathered.windows_total,
        shown: std::mem::take(&mut gathered.windows),
        rule: format!("the first {WINDOWS} that closed"),
    };
    let ledger = &conversion.ledger;
    let comparison = (!logs.is_empty() && !conversion.interrupted).then(|| {
        let reference = DiffSide::Captures(captures.open());
        diff(reference, DiffSide::Logs(logs, log_format), compare, progress)
    });
    let known = names(ledger, &infos, around, comparison.as_ref());
    let shown = shown(&known);
    let chosen = Chosen::new(gathered, &read, shown);
    let left_out = LeftOut::new(ledger, around);
    let ways = chosen.ways(around, &read, shown);
    let data = ReportData {
        captures: about::captures(ledger, &infos, shown),
        settings: about::settings(meter, records),
        ledger: about::ledger(ledger),
        columns: about::columns(records),
        comparison: comparison.as_ref().map(|found| chosen.held_against(found, around.is_some(), shown)),
        records: Sample {
            total: ledger.total.records,
            shown: chosen.records(records, &ways.places, shown),
            rule: "those that the packets of this page are in, and those with the most bytes".to_owned(),
        },
        packets: Sample {
            total: ledger.total.tally.packets_read,
            shown: chosen.packets(read, &left_out),
            rule: format!("the first {PACKETS} that were read"),
        },
        windows,
        histogram: watcher.bins.histogram(),
        paths: Sample {
            total: ways.total,
            shown: ways.shown,
            rule: "those of the first records that are shown".to_owned(),
        },
        quiz,
        has_vpc: vpc.is_some(),
        with_payload,
        is_masked: mask.is_some(),
    };
    Ok(Reported { data, conversion, comparison })
}

/// The records of a page.
struct Chosen {
    /// By their places among all records.
    records: Vec<(u64, Taken)>,
    /// A record's place among all → its place on the page.
    places: HashMap<u64, usize>,
    /// A placed packet → its records, by their places among all.
    links: HashMap<usize, Vec<u64>>,
}

impl Chosen {
    /// Chooses the records that the packets of the page are in, and of the others the largest, as many as there is room for.
    fn new(gathered: Gathered, read: &[Read], shown: Shown<'_>) -> Chosen {
        let Gathered { mut linked, links, largest, .. } = gathered;
        let mut chosen: BTreeMap<u64, Taken> = BTreeMap::new();
        for at in read.iter().filter_map(|read| read.placed) {
            for sequence in links.get(&at).into_iter().flatten() {
                if let Some(taken) = linked.remove(sequence) {
                    chosen.insert(*sequence, taken);
                }
            }
        }
        for (sequence, taken) in largest {
            if chosen.len() >= RECORDS {
                break;
            }
            chosen.entry(sequence).or_insert(taken);
        }
        let mut records: Vec<(u64, Taken)> = chosen.into_iter().collect();
        if shown.reorders() {
            records.sort_by_cached_key(|(_, taken)| {
                (taken.record.start, flow(&taken.record).map(|flow| shown.flow(&flow)))
            });
        }
        let places = records.iter().enumerate().map(|(place, (sequence, _))| (*sequence, place)).collect();
        Chosen { records, places, links }
    }

    /// The places on the page of a packet's records.
    fn of_packet(&self, read: &Read) -> Vec<usize> {
        let records = read.placed.and_then(|at| self.links.get(&at));
        records.into_iter().flatten().filter_map(|sequence| self.places.get(sequence).copied()).collect()
    }

    fn packets(&self, read: Vec<Read>, left_out: &LeftOut<'_>) -> Vec<PacketAbout> {
        let with_fate = |read: Read| {
            let records = self.of_packet(&read);
            let fate = match (records.is_empty(), read.placed) {
                (false, _) => PacketFate::InRecords(records),
                (true, Some(_)) => left_out.fate(&read),
                (true, None) => read.about.fate,
            };
            PacketAbout { fate, ..read.about }
        };
        read.into_iter().map(with_fate).collect()
    }

    fn ways(&self, vpc: Option<&Vpc>, read: &[Read], shown: Shown<'_>) -> Paths {
        let Some(vpc) = vpc else { return Paths::default() };
        let mut first: HashMap<usize, (u64, &Read)> = HashMap::new();
        for (order, read) in (0..).zip(read) {
            for place in self.of_packet(read) {
                first.entry(place).or_insert((order, read));
            }
        }
        let asked = |(place, (sequence, taken)): (usize, &(u64, Taken))| {
            let record = &taken.record;
            let own = flow(record)?;
            let (order, flow, icmp) = match first.get(&place) {
                Some((order, read)) => (*order, read.flow?, read.icmp),
                // later than every packet on the page; of the others the record that was written first
                None => (u64::MAX / 2 + sequence, own, None),
            };
            Some(Asked { flow, icmp, order })
        };
        let asked: Vec<Option<Asked>> = self.records.iter().enumerate().map(asked).collect();
        paths(vpc, &asked, shown)
    }

    fn records(&self, options: &RecordOptions, ways: &[Option<usize>], shown: Shown<'_>) -> Vec<RecordAbout> {
        let about = |(place, (sequence, taken)): (usize, &(u64, Taken))| {
            let Taken { record, why, window, late } = taken;
            let values = shown.record(record);
            RecordAbout {
                number: if shown.reorders() { place as u64 + 1 } else { *sequence },
                flow: flow(record).map_or_else(|| "no traffic".to_owned(), |flow| shown.flow(&flow)),
                values: options.format.values(&values).map(|value| shown.value(value)).collect(),
                action: record.action,
                start: record.start,
                end: record.end,
                packets: record.packets.unwrap_or(0),
                bytes: record.bytes.unwrap_or(0),
                window: *window,
                late: *late,
                why: why.as_deref().map(|why| shown.sentence(why)),
                path: ways.get(place).copied().flatten(),
            }
        };
        self.records.iter().enumerate().map(about).collect()
    }

    fn held_against(&self, report: &DiffReport, with_vpc: bool, shown: Shown<'_>) -> ComparisonAbout {
        let span = |(_, taken): &(u64, Taken)| (flow(&taken.record), taken.record.start, taken.record.end);
        let spans: Vec<differences::Span> = self.records.iter().map(span).collect();
        differences::about(report, &spans, with_vpc, shown)
    }
}
