//! What a whole capture loses when it becomes a flow log.

use std::collections::HashMap;
use std::fmt::Write as _;

use flowtruth::pipeline::{Kind, LayerLoss, Loss};
use indicatif::{HumanBytes, HumanCount};

use super::text::{heading, width, wrap};
use super::{Asked, json};
use crate::cli::summary::counted;
use crate::cli::table;

pub fn explain(loss: &Loss, asked: &Asked) -> String {
    if asked.json {
        return json::loss(loss);
    }
    let mut text = heading(
        &format!("`{}`: ", asked.name),
        &format!(
            "{} of packets became {} of records",
            HumanBytes(loss.wire_bytes),
            HumanBytes(loss.record_bytes)
        ),
    );
    let mut rows = table::plain();
    let mut row = |name: &str, bytes: u64, what: String| {
        rows.add_row([name.to_owned(), HumanCount(bytes).to_string(), what]);
    };
    row("on the wire", loss.wire_bytes, counted(loss.packets, "packet"));
    row("captured", loss.captured_bytes, "frames, as far as the capture holds them".to_owned());
    row("counted", loss.ip_bytes, format!("IP lengths of {}", counted(loss.packets_in_records, "packet")));
    row("written", loss.record_bytes, counted(loss.records, "record"));
    table::right_align(&mut rows, &[1]);
    text.push_str(&table::text(&rows));
    if loss.records > 0 {
        let _ = writeln!(
            text,
            "a record stands for {:.1} packets, and takes a byte for {:.0} on the wire",
            loss.packets_in_records as f64 / loss.records as f64,
            loss.wire_bytes as f64 / loss.record_bytes.max(1) as f64
        );
    }
    for kind in loss.kinds.iter().take(asked.limit.max(1)) {
        show_kind(kind, &mut text);
    }
    text.push('\n');
    text.push_str(&wrap(
        "Facts are header fields, the payload, and the time, as the first packet of each kind has them. Kept \
         are those that stand in the record, added up those that only sums, extremes or an OR of are left of.",
        0,
        width(),
    ));
    text
}

fn show_kind(kind: &Kind, text: &mut String) {
    let sum = |of: fn(&LayerLoss) -> usize| kind.layers.iter().map(of).sum::<usize>();
    let (facts, kept, summed) =
        (sum(|layer| layer.facts), sum(|layer| layer.kept), sum(|layer| layer.summed));
    let names: Vec<&str> = kind.layers.iter().skip(1).map(|layer| layer.name).collect();
    text.push('\n');
    text.push_str(&heading(&format!("{} of ", counted(kind.packets, "packet")), &names.join(" / ")));
    let _ = writeln!(
        text,
        "of {facts} facts a packet held, {} survive, {summed} of them added up",
        kept + summed
    );
    let mut rows = table::plain();
    rows.set_header(["LAYER", "FACTS", "KEPT", "ADDED UP", "LOST"]);
    // two headers of one name are one line
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut layers: Vec<LayerLoss> = Vec::new();
    for layer in &kind.layers {
        let at = *places.entry(layer.name).or_insert(layers.len());
        match layers.get_mut(at) {
            Some(sum) => {
                sum.facts += layer.facts;
                sum.kept += layer.kept;
                sum.summed += layer.summed;
            }
            None => layers.push(*layer),
        }
    }
    for LayerLoss { name, facts, kept, summed } in layers {
        let numbers = [facts, kept, summed, facts - kept - summed].map(|number| number.to_string());
        rows.add_row([name.to_owned()].into_iter().chain(numbers));
    }
    table::right_align(&mut rows, &[1, 2, 3, 4]);
    text.push_str(&table::text(&rows));
}
