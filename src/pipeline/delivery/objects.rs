//! Records → objects of five minutes, as AWS delivers them to S3.
//!
//! 1. A record goes into the open object of its account, Region and slot, the five minutes that its `end` lies in.
//! 2. An object is closed, named and put when the packets' time has passed its slot by the allowed lateness; when it has
//!    grown to [`OBJECT_BYTES`]; or, the one that was used least lately, when [`OPEN_OBJECTS`] are open, and the largest,
//!    when all together take [`ALL_BYTES`].
//! 3. Its hash is made of its records' text and of how many objects of the slot came before it. Compressed bytes differ
//!    between processors and versions of the library, so they are left out.
//!
//! Invariants: every record is in exactly one object; the same records in the same order give the same objects.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use flate2::write::GzEncoder;
use flate2::{Compression, Crc};

use crate::deliver::{NamePart, ObjectNames, ObjectStore, Slot};
use crate::flowlog::encode::{RecordEncoder, encoder};
use crate::flowlog::text::write_record_line;
use crate::pipeline::RecordSink;
use crate::record::{FlowRecord, LogFormat};

/// How many objects are open at most.
const OPEN_OBJECTS: usize = 64;

/// How large an object becomes, by and large. AWS's own limit was 75 MB for long.
const OBJECT_BYTES: usize = 32 << 20;

/// How much memory all open objects take together, by and large.
const ALL_BYTES: usize = 128 << 20;

/// After how many records the memory is looked at.
const LOOK_EVERY: u64 = 1024;

/// What is delivered, and who it belongs to.
#[derive(Clone, Debug)]
pub struct ObjectDelivery {
    /// Names and file format.
    pub names: ObjectNames,
    /// The fields.
    pub format: LogFormat,
    /// Whether text has a header line, as AWS's has.
    pub header: bool,
    /// The account of records that have none of their own, or `unknown`.
    pub account: Option<NamePart>,
    /// The Region of records that have none of their own.
    pub region: Option<NamePart>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    slot: Slot,
    account: NamePart,
    region: NamePart,
}

/// Puts objects into a store.
pub struct ObjectSink<S> {
    delivery: ObjectDelivery,
    store: S,
    open: BTreeMap<Place, Object>,
    /// How many objects of a place were put.
    put: HashMap<Slot, u32>,
    records: u64,
    objects: u64,
    line: Vec<u8>,
    encoded: Vec<u8>,
}

impl<S: ObjectStore> ObjectSink<S> {
    /// A sink for a store; nothing is put before the first object is complete.
    pub fn new(delivery: ObjectDelivery, store: S) -> Self {
        ObjectSink {
            delivery,
            store,
            open: BTreeMap::new(),
            put: HashMap::new(),
            records: 0,
            objects: 0,
            line: Vec::new(),
            encoded: Vec::new(),
        }
    }

    /// How many objects were put.
    pub fn objects(&self) -> u64 {
        self.objects
    }

    fn place(&self, record: &FlowRecord) -> io::Result<Place> {
        let end = record.end.ok_or_else(|| invalid("a record without `end` belongs to no object"))?;
        let no_slot =
            || invalid(format!("the time `{end}` is in no name of an object: expected the years 0 to 9999"));
        let account = part(
            record.account_id.as_deref().filter(|account| *account != "unknown"),
            &self.delivery.account,
        );
        let region = part(record.region.as_deref(), &self.delivery.region);
        Ok(Place {
            slot: Slot::of(end).ok_or_else(no_slot)?,
            account: account?.ok_or_else(|| missing("account-id"))?,
            region: region?.ok_or_else(|| missing("region"))?,
        })
    }

    fn close(&mut self, place: &Place) -> io::Result<()> {
        let Some(object) = self.open.remove(place) else { return Ok(()) };
        let before = self.put.entry(place.slot).or_default();
        let hash = object.hash(*before);
        *before += 1;
        let key = self.delivery.names.key(&place.account, &place.region, place.slot, hash);
        self.store.put(&key, &object.finish()?)?;
        self.objects += 1;
        Ok(())
    }

    fn close_first(&mut self, by: impl Fn(&Object) -> u64) -> io::Result<()> {
        match self.open.iter().min_by_key(|(_, object)| by(object)).map(|(place, _)| place.clone()) {
            Some(place) => self.close(&place),
            None => Ok(()),
        }
    }

    fn close_what_is_large(&mut self, place: &Place) -> io::Result<()> {
        if self.open.get(place).is_some_and(|object| object.held() >= OBJECT_BYTES) {
            self.close(place)?;
        }
        if self.open.values().map(Object::held).sum::<usize>() >= ALL_BYTES {
            self.close_first(|object| u64::MAX - object.held() as u64)?;
        }
        Ok(())
    }

    fn close_while(&mut self, closes: impl Fn(&Place) -> bool) -> io::Result<()> {
        while let Some(place) = self.open.keys().next().filter(|place| closes(place)).cloned() {
            self.close(&place)?;
        }
        Ok(())
    }
}

impl<S: ObjectStore> RecordSink for ObjectSink<S> {
    fn record(&mut self, record: &FlowRecord) -> io::Result<()> {
        let place = self.place(record)?;
        self.records += 1;
        if !self.open.contains_key(&place) {
            if self.open.len() >= OPEN_OBJECTS {
                self.close_first(|object| object.used)?;
            }
            self.open.insert(place.clone(), Object::new(&self.delivery)?);
        }
        let Some(object) = self.open.get_mut(&place) else { return Ok(()) };
        self.encoded.clear();
        if let Err(error) = object.encoder.record(record, &mut self.encoded) {
            if object.used == 0 {
                self.open.remove(&place);
            }
            return Err(error);
        }
        object.content.write_all(&self.encoded)?;
        self.line.clear();
        write_record_line(&self.delivery.format, record, &mut self.line);
        object.crc.update(&self.line);
        object.used = self.records;
        if self.records.is_multiple_of(LOOK_EVERY) { self.close_what_is_large(&place) } else { Ok(()) }
    }

    fn end_of_window(&mut self) -> io::Result<()> {
        self.open.values_mut().try_for_each(Object::end_of_window)
    }

    fn passed(&mut self, second: i64) -> io::Result<()> {
        self.close_while(|place| place.slot.has_passed(second))
    }

    fn finish(&mut self) -> io::Result<()> {
        self.close_while(|_| true)
    }
}

/// An object that is being made.
struct Object {
    encoder: Box<dyn RecordEncoder>,
    content: Content,
    crc: Crc,
    /// The number of the record that came last.
    used: u64,
}

enum Content {
    Plain(Vec<u8>),
    Gzip(Box<GzEncoder<Vec<u8>>>),
}

impl Object {
    fn new(delivery: &ObjectDelivery) -> io::Result<Object> {
        let mut encoder = encoder(delivery.names.file_format, &delivery.format, delivery.header);
        let mut content = match delivery.names.are_gzip() {
            // the header that it writes has no time
            true => Content::Gzip(Box::new(GzEncoder::new(Vec::new(), Compression::default()))),
            false => Content::Plain(Vec::new()),
        };
        let mut begin = Vec::new();
        encoder.begin(&mut begin);
        content.write_all(&begin)?;
        Ok(Object { encoder, content, crc: Crc::new(), used: 0 })
    }

    fn held(&self) -> usize {
        let content = match &self.content {
            Content::Plain(content) => content.len(),
            Content::Gzip(encoder) => encoder.get_ref().len(),
        };
        content + self.encoder.held()
    }

    fn end_of_window(&mut self) -> io::Result<()> {
        let mut out = Vec::new();
        self.encoder.end_of_window(&mut out)?;
        self.content.write_all(&out)
    }

    /// The hash in the name, given how many objects of the slot came before.
    fn hash(&self, before: u32) -> u32 {
        let mut crc = Crc::new();
        crc.update(&self.crc.sum().to_be_bytes());
        crc.update(&before.to_be_bytes());
        crc.sum()
    }

    fn finish(mut self) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        self.encoder.finish(&mut out)?;
        self.content.write_all(&out)?;
        match self.content {
            Content::Plain(content) => Ok(content),
            Content::Gzip(encoder) => encoder.finish(),
        }
    }
}

impl Content {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Content::Plain(content) => content.extend_from_slice(bytes),
            Content::Gzip(encoder) => encoder.write_all(bytes)?,
        }
        Ok(())
    }
}

/// A record's own value, or the one for records that have none.
fn part(own: Option<&str>, fallback: &Option<NamePart>) -> io::Result<Option<NamePart>> {
    match own {
        Some(own) => own.parse().map(Some).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error)),
        None => Ok(fallback.clone()),
    }
}

fn invalid(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

fn missing(field: &str) -> io::Error {
    invalid(format!("a record has no `{field}`, which the name of its object needs"))
}

#[cfg(test)]
mod tests;
