//! Whether something looks like a flow log.

use std::io::Read;
use std::net::IpAddr;

use flate2::bufread::GzDecoder;

use crate::record::Field;

use super::LogShape;
use super::columns::{LogColumns, field_named};
use super::error::NotText;
use super::gzip::MAGIC;
use super::parquet;
use super::source::LAYERS;
use super::tail::iso_time;

/// How many first bytes are enough to recognise a flow log, compressed or not.
pub const SNIFF_LENGTH: usize = 4 << 10;

/// Recognises a flow log by its first bytes, [`SNIFF_LENGTH`] of them or all there are: lines of text or JSON, gzip or not,
/// or Parquet, whatever its columns are. `None` for a capture, and for text that does not look like records.
///
/// A log in a custom format without a header is recognised by an address or a log status in its first line.
pub fn sniff_log(bytes: &[u8]) -> Option<LogShape> {
    sniff_layer(bytes, LAYERS)
}

/// Recognises a flow log behind up to so many layers of gzip.
fn sniff_layer(bytes: &[u8], layers: usize) -> Option<LogShape> {
    if bytes.starts_with(MAGIC) {
        let layers = layers.checked_sub(1)?;
        let mut head = [0; SNIFF_LENGTH];
        let mut decoder = GzDecoder::new(bytes);
        let mut length = 0;
        // the first bytes of a longer stream end in an error
        while let Ok(count @ 1..) = decoder.read(head.get_mut(length..).unwrap_or_default()) {
            length += count;
        }
        return sniff_layer(head.get(..length)?, layers);
    }
    if layers == LAYERS && bytes.starts_with(parquet::MAGIC) {
        return Some(LogShape::Parquet);
    }
    if NotText::recognise(bytes).is_some() {
        return None;
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // a character that is cut at the end
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(bytes.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with(['{', '[']) {
        return looks_like_json(text).then_some(LogShape::Json);
    }
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
    looks_like_log(line).then_some(LogShape::Text)
}

/// Whether JSON looks like events or records: by its names, which are the texts in front of a colon.
fn looks_like_json(text: &str) -> bool {
    const EVENTS: [&str; 7] =
        ["events", "logEvents", "messageType", "awslogs", "message", "kinesis", "deliveryStreamArn"];
    /// Names of fields that other JSON has too.
    const COMMON: [Field; 6] =
        [Field::Version, Field::Start, Field::End, Field::Type, Field::Region, Field::Action];
    let names = || {
        let pieces = text.split('"').zip(text.split('"').skip(1)).skip(1);
        pieces.filter(|(_, after)| after.trim_start().starts_with(':')).map(|(name, _)| name)
    };
    let is_ocsf = names().any(|name| name == "class_uid") && names().any(|name| name.ends_with("_endpoint"));
    let tells = |name: &str| field_named(name).is_some_and(|field| !COMMON.contains(&field));
    is_ocsf || names().any(|name| EVENTS.contains(&name)) || names().filter(|name| tells(name)).count() >= 2
}

/// Whether a line looks like a header or a record.
fn looks_like_log(line: &str) -> bool {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let is_address = |word: &&str| word.parse::<IpAddr>().is_ok();
    let tells = |word: &&str| matches!(*word, "NODATA" | "SKIPDATA") || is_address(word);
    // most words around an address are numbers, dashes and identifiers
    let is_plain = |word: &&&str| {
        word.contains('-') || word.bytes().all(|byte| byte.is_ascii_digit()) || is_address(word)
    };
    let plain = words.iter().filter(is_plain).count();
    LogColumns::from_header(words.iter().copied()).is_some()
        || (words.len() > 2 && words.first().is_some_and(|word| iso_time(word).is_some()))
        || (words.iter().any(tells) && plain * 2 > words.len())
}
