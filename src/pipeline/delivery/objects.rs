//! Records → objects of five minutes, as AWS delivers them to S3.
//!
//! 1. A record goes into the open object of its account, Region and slot, the five minutes that its `end` lies in.
//! 2. An object is closed, named and put when the packets' time has passed its slot by the allowed lateness, and when it has
//!    grown to [`OBJECT_BYTES`]. When all open ones together take [`ALL_BYTES`], the largest are closed until half of that
//!    is left: so many small ones stay open, and what is closed early is worth an object.
//! 3. Its hash is made of its records' text and of how many objects of the slot came before it. Compressed bytes differ
//!    between processors and versions of the library, so they are left out.
//!
//! Invariants: every record is in exactly one object; the same records in the same order give the same objects.

use std::collections::HashMap;
use std::collections::btree_map::{BTreeMap, Entry};
use std::io::{self, Write};

use flate2::write::GzEncoder;
use flate2::{Compression, Crc};

use crate::deliver::{MissingInName, NamePart, ObjectNames, ObjectStore, Slot};
use crate::flowlog::encode::{RecordEncoder, encoder};
use crate::flowlog::text::write_record_line;
use crate::pipeline::RecordSink;
use crate::record::{Field, FileFormat, FlowRecord, LogFormat};

/// How large an object becomes before it is compressed, by and large. AWS's own limit was 75 MB for long.
const OBJECT_BYTES: usize = 64 << 20;

/// How much memory all open objects take together, by and large.
const ALL_BYTES: usize = 128 << 20;

/// What an open object takes beside its records: little, or the buffers of a Parquet file.
const BESIDE: usize = 1 << 10;
const BESIDE_PARQUET: usize = 32 << 10;

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
    objects: u64,
    line: Vec<u8>,
    /// How much memory the open objects take.
    held: usize,
    /// How much they may take.
    most: usize,
}

impl<S: ObjectStore> ObjectSink<S> {
    /// A sink for a store; nothing is put before the first object is complete.
    pub fn new(delivery: ObjectDelivery, store: S) -> Self {
        ObjectSink {
            delivery,
            store,
            open: BTreeMap::new(),
            put: HashMap::new(),
            objects: 0,
            line: Vec::new(),
            held: 0,
            most: ALL_BYTES,
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
            account: account?.ok_or(MissingInName(Field::AccountId))?,
            region: region?.ok_or(MissingInName(Field::Region))?,
        })
    }

    fn close(&mut self, place: &Place) -> io::Result<()> {
        let Some(object) = self.open.remove(place) else { return Ok(()) };
        self.held -= object.held.min(self.held);
        let before = self.put.entry(place.slot).or_default();
        let hash = object.hash(*before);
        *before += 1;
        let names = &self.delivery.names;
        let key = names.key(&place.account, &place.region, place.slot, hash);
        self.store.put(&key, &object.finish(names.are_gzip())?)?;
        self.objects += 1;
        Ok(())
    }

    /// Closes the largest objects until half of the memory is left.
    fn close_the_largest(&mut self) -> io::Result<()> {
        let mut places: Vec<(usize, Place)> =
            self.open.iter().map(|(place, object)| (object.held, place.clone())).collect();
        places.sort_by(|(a, a_place), (b, b_place)| b.cmp(a).then_with(|| a_place.cmp(b_place)));
        for (_, place) in places {
            if self.held <= self.most / 2 {
                break;
            }
            self.close(&place)?;
        }
        Ok(())
    }

    fn close_what_is_large(&mut self, place: &Place) -> io::Result<()> {
        if self.open.get(place).is_some_and(|object| object.held >= OBJECT_BYTES) {
            self.close(place)?;
        }
        if self.held < self.most { Ok(()) } else { self.close_the_largest() }
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
        let object = match self.open.entry(place.clone()) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(free) => {
                // a record that the format cannot hold begins no object
                let mut object = Object::new(&self.delivery);
                object.take(record)?;
                self.held += object.held;
                object.note(record, &self.delivery.format, &mut self.line);
                free.insert(object);
                return self.close_what_is_large(&place);
            }
        };
        let before = object.held;
        object.take(record)?;
        self.held = self.held + object.held - before.min(self.held);
        object.note(record, &self.delivery.format, &mut self.line);
        self.close_what_is_large(&place)
    }

    fn end_of_window(&mut self) -> io::Result<()> {
        for object in self.open.values_mut() {
            object.end_of_window()?;
        }
        self.held = self.open.values().map(|object| object.held).sum();
        Ok(())
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
    content: Vec<u8>,
    crc: Crc,
    /// How much memory it takes, by and large.
    held: usize,
    beside: usize,
}

impl Object {
    fn new(delivery: &ObjectDelivery) -> Object {
        let mut encoder = encoder(delivery.names.file_format, &delivery.format, delivery.header);
        let beside = if delivery.names.file_format == FileFormat::Parquet { BESIDE_PARQUET } else { BESIDE };
        let mut content = Vec::new();
        encoder.begin(&mut content);
        Object { encoder, content, crc: Crc::new(), held: 0, beside }
    }

    fn take(&mut self, record: &FlowRecord) -> io::Result<()> {
        self.encoder.record(record, &mut self.content)?;
        self.held = self.beside + self.content.len() + self.encoder.held();
        Ok(())
    }

    /// Lets the hash know of the record.
    fn note(&mut self, record: &FlowRecord, format: &LogFormat, line: &mut Vec<u8>) {
        line.clear();
        write_record_line(format, record, line);
        self.crc.update(line);
    }

    fn end_of_window(&mut self) -> io::Result<()> {
        self.encoder.end_of_window(&mut self.content)?;
        self.held = self.beside + self.content.len() + self.encoder.held();
        Ok(())
    }

    /// The hash in the name, given how many objects of the slot came before.
    fn hash(&self, before: u32) -> u32 {
        let mut crc = Crc::new();
        crc.update(&self.crc.sum().to_be_bytes());
        crc.update(&before.to_be_bytes());
        crc.sum()
    }

    fn finish(mut self, gzip: bool) -> io::Result<Vec<u8>> {
        self.encoder.finish(&mut self.content)?;
        if !gzip {
            return Ok(self.content);
        }
        // the header that it writes has no time
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&self.content)?;
        encoder.finish()
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

#[cfg(test)]
mod tests;
