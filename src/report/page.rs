//! The page.

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::data::{PacketAbout, PacketFate, ReportData, WindowAbout};
use super::json::json;
use super::view;

const STYLE: &str = include_str!("templates/style.css");

/// One script of several files, which share what they name.
const SCRIPT: &str = concat!(
    include_str!("templates/script/data.js"),
    include_str!("templates/script/light.js"),
    include_str!("templates/script/beside.js"),
    include_str!("templates/script/pointer.js"),
    include_str!("templates/script/timeline.js"),
    include_str!("templates/script/records.js"),
    include_str!("templates/script/quiz.js"),
    include_str!("templates/script/start.js"),
);

/// What the templates are filled with.
#[derive(Template)]
#[template(path = "page.html", config = "src/report/askama.toml")]
struct Page<'a> {
    data: &'a ReportData,
    json: &'a str,
    style: &'static str,
    script: &'static str,
    style_hash: String,
    script_hash: String,
    title: String,
    sentence: String,
    segments: Vec<view::Segment<'a>>,
    version: &'static str,
}

/// The page, complete.
///
/// # Errors
/// None is known: the templates are checked when they are compiled, and a string takes whatever is written to it.
pub fn page(data: &ReportData) -> Result<String, askama::Error> {
    let page = Page {
        data,
        json: &json(data),
        style: STYLE,
        script: SCRIPT,
        style_hash: hash(STYLE),
        script_hash: hash(SCRIPT),
        title: title(data),
        sentence: view::sentence(&data.ledger, data.records.total),
        segments: view::segments(&data.ledger),
        version: env!("CARGO_PKG_VERSION"),
    };
    page.render()
}

/// As a Content-Security-Policy names what is in the page.
fn hash(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}

/// The captures' names.
fn title(data: &ReportData) -> String {
    match data.captures.as_slice() {
        [] => "no capture".to_owned(),
        [one] => one.name.clone(),
        [first, rest @ ..] => format!("{} and {} more", first.name, rest.len()),
    }
}

impl Page<'_> {
    fn count(&self, number: &u64) -> String {
        view::count(*number)
    }

    fn counted(&self, number: &u64, what: &str) -> String {
        view::counted(*number, what)
    }

    fn code(&self, text: &str) -> String {
        view::code(text)
    }

    fn second(&self, second: &i64) -> String {
        view::time(i128::from(*second) * 1_000_000_000)
    }

    fn instant(&self, nanos: &i128) -> String {
        view::time(*nanos)
    }

    fn admissions(&self) -> Vec<String> {
        let ReportData { records, packets, windows, paths, comparison, .. } = self.data;
        let differences =
            comparison.as_ref().and_then(|found| view::admission(&found.differences, "difference"));
        [
            view::admission(packets, "packet"),
            view::admission(records, "record"),
            view::admission(windows, "window"),
            view::admission(paths, "way"),
        ]
        .into_iter()
        .flatten()
        .chain(differences)
        .collect()
    }

    fn ledger_width(&self) -> f64 {
        view::LEDGER_WIDTH
    }

    /// The ledger in words, for who does not see its picture.
    fn ledger_words(&self) -> String {
        let parts: Vec<String> =
            self.segments.iter().map(|part| format!("{} {}", view::count(part.packets), part.name)).collect();
        format!("{} read: {}", view::counted(self.data.ledger.read, "packet"), parts.join(", "))
    }

    fn window_span(&self, window: &WindowAbout) -> String {
        match window.span {
            Some((start, end)) => format!("{} to {}", view::time(start), view::time(end)),
            None => "the whole capture".to_owned(),
        }
    }

    fn has_several_captures(&self) -> bool {
        self.data.captures.len() > 1
    }

    fn capture_name(&self, packet: &PacketAbout) -> &str {
        self.data.captures.get(packet.capture).map_or("", |capture| capture.name.as_str())
    }

    /// The records of a packet: the place on the page and the number of each.
    fn records_of(&self, packet: &PacketAbout) -> Vec<(usize, u64)> {
        let PacketFate::InRecords(places) = &packet.fate else { return Vec::new() };
        let number =
            |place: &usize| self.data.records.shown.get(*place).map(|record| (*place, record.number));
        places.iter().filter_map(number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{
        CaptureAbout, CauseAbout, ColumnAbout, ComparisonAbout, DifferenceAbout, Kept, LayerAbout,
        LedgerPart, PartAbout, PathAbout, QuestionAbout, RecordAbout, Sample, StepAbout,
    };

    #[test]
    fn the_policy_names_what_is_in_the_page() {
        let page = page(&ReportData::default()).unwrap();
        let inside = |open: &str, close: &str| {
            let from = page.find(open).unwrap() + open.len();
            page[from..].split(close).next().unwrap().to_owned()
        };
        let policy = inside("http-equiv=\"Content-Security-Policy\" content=\"", "\"");
        assert!(
            policy.starts_with("default-src &#39;none&#39;;") || policy.starts_with("default-src 'none';"),
            "{policy}"
        );
        assert!(policy.contains(&hash(&inside("<style>", "</style>"))), "{policy}");
        assert!(policy.contains(&hash(&inside("<script>", "</script>"))), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
    }

    #[test]
    fn markup_in_any_string_stays_text() {
        const MARK: &str = "</script></title>-->\"'><img src=x onerror=alert(1)>";
        let mark = || MARK.to_owned();
        let part = PartAbout {
            name: "source address",
            offset: 0,
            length: 1,
            value: Some(mark()),
            bytes: mark(),
            kept: Kept::Lost,
            columns: Vec::new(),
        };
        let step = StepAbout {
            interface: mark(),
            direction: "egress",
            action: "ACCEPT",
            why: mark(),
            asked: vec![("route", "", mark())],
        };
        let skipped = PacketFate::Skipped { reason: mark(), meaning: mark() };
        let mut data = ReportData { has_vpc: true, ..ReportData::default() };
        data.captures =
            vec![CaptureAbout { name: mark(), facts: vec![("system", mark())], failure: Some(mark()) }; 2];
        data.settings = vec![("filter", mark())];
        let part_of_ledger = LedgerPart { name: mark(), meaning: mark(), packets: 1 };
        data.ledger.read = 1;
        data.ledger.skipped = vec![part_of_ledger.clone()];
        data.ledger.notes = vec![part_of_ledger];
        data.columns = vec![ColumnAbout { name: "srcaddr", meaning: "", is_number: false }];
        data.records.shown = vec![RecordAbout {
            flow: mark(),
            values: vec![mark()],
            why: Some(mark()),
            path: Some(0),
            ..RecordAbout::default()
        }];
        data.records.rule = mark();
        data.records.total = 2;
        data.quiz = vec![QuestionAbout {
            shown: vec![mark()],
            text: mark(),
            choices: vec![mark()],
            answer: 0,
            right: mark(),
            explanation: mark(),
            page: "",
        }];
        data.packets.shown = vec![PacketAbout {
            number: 1,
            capture: 0,
            time: None,
            flow: mark(),
            ip_length: None,
            frame_length: 1,
            flags: mark(),
            fate: skipped,
            layers: vec![LayerAbout { name: "IPv4", counted: true, parts: vec![part] }],
        }];
        data.paths.shown = vec![PathAbout { flow: mark(), packet: vec![step.clone()], reply: vec![step] }];
        let difference = DifferenceAbout {
            kind: "missing",
            flow: mark(),
            start: 0,
            end: 0,
            capture: mark(),
            log: mark(),
            cause: "unexplained",
            explained: false,
            detail: mark(),
            line: None,
            records: vec![0],
        };
        data.comparison = Some(ComparisonAbout {
            logs: vec![mark()],
            verdict: "different",
            causes: vec![CauseAbout { name: "x", meaning: mark(), differences: 1, explained: false }],
            findings: vec![mark()],
            differences: Sample { shown: vec![difference], total: 1, rule: String::new() },
            not_compared: vec![mark()],
            ..ComparisonAbout::default()
        });
        let page = page(&data).unwrap();
        assert!(!page.contains("<img") && !page.contains("-->"), "{page}");
        // the page's own two scripts and its data
        assert_eq!(page.matches("</script>").count(), 2, "{page}");
        assert_eq!(page.matches("</title>").count(), 1 + 1, "the page's and the ledger's: {page}");
        assert!(
            page.matches("onerror=alert(1)").count() > 30,
            "{}",
            page.matches("onerror=alert(1)").count()
        );
    }

    #[test]
    fn a_page_loads_nothing_and_runs_nothing_inline() {
        let page = page(&ReportData::default()).unwrap();
        for forbidden in [
            "src=",
            "@import",
            "url(",
            "<link",
            "<img",
            "<iframe",
            " onclick",
            " onload",
            "innerHTML",
            "eval(",
        ] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
    }
}
