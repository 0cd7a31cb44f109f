//! What a record has of a packet: its bytes, and its header fields.

use super::{one_of, packet_text};
use crate::packet::Note;
use crate::quiz::choices::Choices;
use crate::quiz::facts::{Fate, LayerFacts, PacketFacts, PartFacts};
use crate::quiz::{Question, Subject, shuffle};
use crate::random::Random;

/// The frame check sequence of Ethernet, in bytes.
const CHECK_SEQUENCE: u32 = 4;

/// What a packet adds to `bytes`.
pub(super) fn of_packet(packet: &PacketFacts, random: &mut Random) -> Option<Question> {
    let counted = || packet.layers.iter().filter(|layer| layer.counted);
    let length = packet.ip.ip_length;
    let told = packet.captured_length == packet.frame_length
        && !packet.ip.notes.contains(Note::LengthZero)
        && !packet.ip.notes.contains(Note::Jumbogram)
        && counted().map(|layer| layer.length).sum::<usize>() == length as usize;
    if !told {
        return None;
    }
    let of = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    let header = of(counted().next()?.length);
    let payload: u32 = counted().filter(|layer| is_payload(layer)).map(|layer| of(layer.length)).sum();
    let around: Vec<String> = packet.layers.iter().filter(|layer| !layer.counted).map(text).collect();
    let inside: Vec<String> = counted().map(text).collect();
    let choices = Choices::new(length.to_string()).with(
        [
            packet.frame_length,
            payload,
            length - header,
            packet.frame_length + CHECK_SEQUENCE,
            length + CHECK_SEQUENCE,
        ]
        .map(|length| length.to_string()),
    );
    let shown = vec![
        packet_text(packet),
        format!(
            "{} bytes on the wire: {}",
            packet.frame_length,
            packet.layers.iter().map(text).collect::<Vec<_>>().join(", ")
        ),
    ];
    let not = match around.is_empty() {
        true => String::new(),
        false => format!("; what is around it ({}) is in no record", around.join(", ")),
    };
    choices.ask(
        Subject::PacketBytes,
        random,
        shown,
        "How many bytes does this packet add to `bytes`?",
        format!("`bytes` adds up IP lengths, headers included: {}{not}", inside.join(" + ")),
    )
}

fn is_payload(layer: &LayerFacts) -> bool {
    layer.name.starts_with("payload") || matches!(layer.name, "message" | "chunks")
}

fn text(layer: &LayerFacts) -> String {
    format!("{} {}", layer.name, layer.length)
}

/// Which header field is in the record.
pub(super) fn survives(packet: &PacketFacts, random: &mut Random) -> Option<Question> {
    let parts = |fate: Fate| {
        let fields = packet.layers.iter().flat_map(|layer| layer.parts.iter().map(move |part| (layer, part)));
        fields.filter(move |(_, part)| {
            part.fate == fate && !can_be_told_otherwise(part.name) && !part.value.is_empty()
        })
    };
    let text = |(layer, part): (&LayerFacts, &PartFacts)| {
        let is_twice = packet.layers.iter().filter(|other| other.name == layer.name).count() > 1;
        let place = if is_twice && !layer.counted { "outer " } else { "" };
        format!("{place}{}, {}: {}", layer.name, part.name, part.value)
    };
    let kept: Vec<_> = parts(Fate::Kept).collect();
    // a value that is in the record by another field would be right and wrong
    let is_kept = |value: &str| kept.iter().any(|(_, part)| part.value == value);
    let mut lost: Vec<String> =
        parts(Fate::Lost).filter(|(_, part)| !is_kept(&part.value)).map(text).collect();
    shuffle(&mut lost, random);
    let right = text(*one_of(&kept.iter().collect::<Vec<_>>(), random)?);
    Choices::new(right.clone()).with(lost).ask(
        Subject::Survives,
        random,
        vec![packet_text(packet)],
        "Which of these is in the packet's record, unchanged?",
        format!(
            "{right}. Of the others nothing is left; `flowtruth explain CAPTURE --packet {}` marks every byte",
            packet.number
        ),
    )
}

/// Fields of which a record tells something by another way: the version by the address's form, a length by `bytes` where
/// the packet is the only one. And those that say nothing.
fn can_be_told_otherwise(name: &str) -> bool {
    name.starts_with("version") || matches!(name, "length" | "reserved" | "bytes" | "padding or checksum")
}
