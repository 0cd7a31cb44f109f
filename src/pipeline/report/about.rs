//! The captures, the options and the ledger in words.

use super::shown::Shown;
use crate::capture::{CaptureInfo, InterfaceInfo};
use crate::decode::Tunnels;
use crate::flow::AggregationInterval;
use crate::pipeline::{
    CaptureTally, Fragments, Ledger, LedgerNote, MeterOptions, RecordOptions, WindowOrigin,
};
use crate::record::{Field, FieldType};
use crate::report::{CaptureAbout, ColumnAbout, LedgerAbout, LedgerPart};

/// How many interfaces of a capture are described.
const INTERFACES: usize = 8;

/// What captures say of themselves, as far as they were read.
pub(super) fn captures(
    ledger: &Ledger,
    infos: &[Option<CaptureInfo>],
    shown: Shown<'_>,
) -> Vec<CaptureAbout> {
    let about = |(at, capture): (usize, &CaptureTally)| {
        let mut facts = vec![("packets", capture.tally.packets_read.to_string())];
        if let (Some(first), Some(last)) = (&capture.first_packet, &capture.last_packet) {
            facts.push(("first packet", first.clone()));
            facts.push(("last packet", last.clone()));
        }
        if let Some(info) = infos.get(at).and_then(Option::as_ref) {
            facts.push(("container", container(info)));
            let said = [("hardware", &info.hardware), ("system", &info.os), ("made by", &info.application)];
            facts.extend(
                said.into_iter().filter_map(|(name, value)| Some((name, shown.name(value.as_deref()?)))),
            );
            facts.extend(
                info.interfaces.iter().take(INTERFACES).map(|own| ("interface", interface(own, shown))),
            );
            if info.interfaces.len() > INTERFACES {
                facts.push(("interface", format!("and {} more", info.interfaces.len() - INTERFACES)));
            }
        }
        CaptureAbout {
            name: shown.file(&capture.path),
            facts,
            failure: capture.error.as_deref().map(|error| shown.sentence(error)),
        }
    };
    ledger.captures.iter().enumerate().map(about).collect()
}

fn container(info: &CaptureInfo) -> String {
    match &info.compression {
        Some(compression) => format!("{} in {compression}", info.format),
        None => info.format.to_string(),
    }
}

fn interface(info: &InterfaceInfo, shown: Shown<'_>) -> String {
    let mut said: Vec<String> = Vec::new();
    let names = [&info.name, &info.description, &info.hardware, &info.os];
    said.extend(names.into_iter().flatten().map(|name| shown.name(name)));
    said.push(info.link_type.to_string());
    said.extend(info.mac.map(|mac| shown.hardware(mac.0)));
    said.extend(
        info.addresses.iter().map(|own| format!("{}/{}", shown.address(own.address), own.prefix_length)),
    );
    said.extend(info.filter.as_deref().map(|filter| format!("filter {}", shown.free_text(filter))));
    said.extend(info.snap_length.map(|length| format!("at most {length} bytes of a packet")));
    if info.lost() > 0 {
        said.push(format!("{} packets lost", info.lost()));
    }
    said.join(", ")
}

/// How records were made.
pub(super) fn settings(meter: &MeterOptions, records: &RecordOptions) -> Vec<(&'static str, String)> {
    let interval = match meter.interval {
        AggregationInterval::Capture => "the whole capture".to_owned(),
        seconds @ AggregationInterval::Seconds(_) => format!("{seconds} s"),
    };
    let mut settings = vec![
        ("maximum aggregation interval", interval),
        (
            "log format",
            format!("version {}, {} fields", records.format.version(), records.format.fields().len()),
        ),
    ];
    match meter.origin {
        WindowOrigin::Epoch => {}
        WindowOrigin::FirstPacket => settings.push(("windows begin with", "the first packet".to_owned())),
        WindowOrigin::At(time) => settings.push(("windows begin at", time.to_string())),
    }
    if meter.tunnels != Tunnels::NONE {
        settings.push(("tunnels", "opened".to_owned()));
    }
    if meter.fragments == Fragments::Track {
        settings.push(("fragments", "under the ports of their first".to_owned()));
    }
    if meter.dedup {
        settings.push(("second sights", "skipped".to_owned()));
    }
    if meter.filter.is_some() {
        settings.push(("filter", "yes".to_owned()));
    }
    settings.extend(meter.from.map(|from| ("from", from.to_string())));
    settings.extend(meter.until.map(|until| ("until", until.to_string())));
    settings.extend(meter.count.map(|count| ("at most", format!("{count} packets"))));
    settings
}

/// The ledger's total.
pub(super) fn ledger(ledger: &Ledger) -> LedgerAbout {
    let tally = &ledger.total.tally;
    let mut skipped: Vec<LedgerPart> = (tally.packets_skipped.iter())
        .map(|(reason, packets)| LedgerPart {
            name: reason.to_string(),
            meaning: reason.explanation().to_owned(),
            packets: *packets,
        })
        .collect();
    skipped.sort_by(|one, other| other.packets.cmp(&one.packets).then_with(|| one.name.cmp(&other.name)));
    let late = match ledger.total.late_records {
        1 => "1 record".to_owned(),
        records => format!("{records} records"),
    };
    let known = ledger.to_be_known(&late).into_iter();
    let mut notes: Vec<LedgerPart> = known
        .map(|LedgerNote { name, packets, meaning }| LedgerPart { name: name.to_owned(), meaning, packets })
        .collect();
    let mut note = |name: &str, packets: u64, meaning: &str| {
        if packets > 0 {
            notes.push(LedgerPart { name: name.to_owned(), meaning: meaning.to_owned(), packets });
        }
    };
    if let Some(vpc) = &ledger.total.vpc {
        note(
            "second-records",
            vpc.packets_in_second_records,
            "counted once more, at another interface that they passed",
        );
        note("no-known-interface", vpc.packets_of_no_known_interface, "of no interface of the VPC");
        note("undecided", vpc.packets_undecided, "in records whose action is `-`");
    }
    LedgerAbout {
        read: tally.packets_read,
        in_records: tally.packets_in_records,
        skipped,
        notes,
        ip_bytes: tally.ip_bytes_in_records,
        frame_bytes: tally.frame_bytes_read,
    }
}

/// The columns of records.
pub(super) fn columns(records: &RecordOptions) -> Vec<ColumnAbout> {
    let column = |field: &Field| {
        let info = field.info();
        let is_number = !matches!(info.field_type, FieldType::String);
        ColumnAbout { name: info.name, meaning: info.meaning, is_number }
    };
    records.format.fields().iter().map(column).collect()
}
