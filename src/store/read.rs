//! Reading an object: a stream that goes on where it was when the connection drops.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore};

use super::client::path;
use super::{ObjectAddress, Store, StoreTrouble};

/// The pause after a connection dropped, doubled with each that drops without a byte.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Reads an object. It is the same object to the end: one that is changed meanwhile is an error.
pub struct ObjectReader {
    store: Arc<Store>,
    bucket: Arc<AmazonS3>,
    address: ObjectAddress,
    path: Path,
    stream: Option<BoxStream<'static, object_store::Result<Bytes>>>,
    /// What the stream handed over and nobody took.
    chunk: Bytes,
    /// Where the stream is in the object.
    offset: u64,
    /// The object's size, once it has answered.
    size: Option<u64>,
    /// Which object it is.
    tag: Option<String>,
    /// How often the connection dropped since the last byte.
    drops: usize,
}

impl ObjectReader {
    pub(super) fn open(
        store: &Arc<Store>,
        address: &ObjectAddress,
        place: u64,
    ) -> Result<Self, StoreTrouble> {
        let mut reader = ObjectReader {
            store: Arc::clone(store),
            bucket: store.bucket(address)?,
            address: address.clone(),
            path: path(address)?,
            stream: None,
            chunk: Bytes::new(),
            offset: place,
            size: None,
            tag: None,
            drops: 0,
        };
        reader.request()?;
        Ok(reader)
    }

    /// The object's size in bytes.
    pub fn size(&self) -> u64 {
        self.size.unwrap_or_default()
    }

    /// Asks for the object, from where it was read to.
    fn request(&mut self) -> Result<(), StoreTrouble> {
        let range = (self.offset > 0).then_some(GetRange::Offset(self.offset));
        let options = GetOptions { range, if_match: self.tag.clone(), ..GetOptions::default() };
        let answer = self.store.runtime.block_on(self.bucket.get_opts(&self.path, options));
        let answer = answer.map_err(|error| self.store.trouble(&error, &self.address))?;
        match self.size {
            None => {
                self.size = Some(answer.meta.size);
                self.tag.clone_from(&answer.meta.e_tag);
            }
            Some(size) if size != answer.meta.size => return Err(StoreTrouble::Changed),
            Some(_) => {}
        }
        self.stream = Some(answer.into_stream());
        Ok(())
    }

    /// Waits before the next attempt, if there is to be one.
    fn dropped(&mut self, trouble: StoreTrouble) -> Result<(), StoreTrouble> {
        self.stream = None;
        self.drops += 1;
        if self.drops >= self.store.attempts || trouble == StoreTrouble::Changed {
            return Err(trouble);
        }
        let doubled = PAUSE.saturating_mul(1 << self.drops.min(10));
        std::thread::sleep(doubled.min(LONGEST_PAUSE));
        Ok(())
    }

    /// Gets the next bytes; `false` at the end.
    fn next(&mut self) -> Result<bool, StoreTrouble> {
        while self.offset < self.size() {
            let Some(stream) = &mut self.stream else {
                self.request()?;
                continue;
            };
            match self.store.runtime.block_on(stream.next()) {
                Some(Ok(bytes)) if bytes.is_empty() => {}
                Some(Ok(bytes)) => {
                    self.offset += bytes.len() as u64;
                    self.drops = 0;
                    self.chunk = bytes;
                    return Ok(true);
                }
                Some(Err(error)) => {
                    let trouble = self.store.trouble(&error, &self.address);
                    self.dropped(trouble)?;
                }
                None => {
                    let read = format!("it ends after {} of {} bytes", self.offset, self.size());
                    self.dropped(StoreTrouble::Connection(read))?;
                }
            }
        }
        Ok(false)
    }
}

impl Read for ObjectReader {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if target.is_empty() || (!self.chunk.has_remaining() && !self.next()?) {
            return Ok(0);
        }
        let count = self.chunk.remaining().min(target.len());
        if let Some(target) = target.get_mut(..count) {
            self.chunk.copy_to_slice(target);
        }
        Ok(count)
    }
}
