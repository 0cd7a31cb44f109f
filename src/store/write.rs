//! Writing an object: small ones in one request, large ones in parts of which two are under way.
//!
//! The object appears when the last request is answered. What fails or is dropped before that is taken back: the parts
//! of an upload that is not completed are no object, but cost as if they were.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;

use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};
use tokio::task::JoinHandle;

use super::client::path;
use super::{ObjectAddress, Store, StoreError, StoreTrouble};

/// The size of the first parts in bytes; that of later ones is doubled after each [`DOUBLED_AFTER`].
const PART: usize = 8 << 20;
/// After how many parts their size is doubled, so that the largest object needs no more than [`MOST_PARTS`].
const DOUBLED_AFTER: usize = 1_000;
/// The most parts of an upload ([Amazon S3, multipart upload limits](https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html)).
const MOST_PARTS: usize = 10_000;
/// How many parts are sent at once.
const UNDER_WAY: usize = 2;

/// Writes an object, which appears when it is finished. Dropped before that, it leaves nothing behind.
pub struct ObjectWriter {
    store: Arc<Store>,
    bucket: Arc<AmazonS3>,
    address: ObjectAddress,
    path: Path,
    /// The part that is gathered.
    part: Vec<u8>,
    parts: usize,
    written: u64,
    upload: Option<Box<dyn MultipartUpload>>,
    under_way: VecDeque<JoinHandle<object_store::Result<()>>>,
    failed: bool,
}

impl ObjectWriter {
    pub(super) fn begin(store: &Arc<Store>, address: &ObjectAddress) -> Result<Self, StoreTrouble> {
        if address.is_prefix() {
            return Err(StoreTrouble::NotAnObject);
        }
        Ok(ObjectWriter {
            store: Arc::clone(store),
            bucket: store.bucket(address)?,
            address: address.clone(),
            path: path(address)?,
            part: Vec::new(),
            parts: 0,
            written: 0,
            upload: None,
            under_way: VecDeque::new(),
            failed: false,
        })
    }

    /// Completes the object.
    ///
    /// # Errors
    /// The store does not answer or refuses it; then there is no object, or the one that was there before.
    pub fn finish(mut self) -> Result<(), StoreError> {
        let finished = if self.failed { Err(StoreTrouble::Failed) } else { self.complete() };
        finished.map_err(|trouble| StoreError::new(&self.address, "cannot be written", trouble))
    }

    fn complete(&mut self) -> Result<(), StoreTrouble> {
        if self.upload.is_none() {
            let payload = PutPayload::from(std::mem::take(&mut self.part));
            let put = self.store.runtime.block_on(self.bucket.put(&self.path, payload));
            return put.map(drop).map_err(|error| self.store.trouble(&error, &self.address));
        }
        if !self.part.is_empty() {
            self.send()?;
        }
        while !self.under_way.is_empty() {
            self.wait()?;
        }
        if let Some(upload) = &mut self.upload {
            let completed = self.store.runtime.block_on(upload.complete());
            completed.map_err(|error| self.store.trouble(&error, &self.address))?;
        }
        self.upload = None;
        Ok(())
    }

    /// How large the part is that is gathered.
    fn part_size(&self) -> usize {
        PART << (self.parts / DOUBLED_AFTER)
    }

    /// Sends the part that was gathered.
    fn send(&mut self) -> Result<(), StoreTrouble> {
        if self.parts == MOST_PARTS {
            return Err(StoreTrouble::TooLarge(self.written));
        }
        while self.under_way.len() >= UNDER_WAY {
            self.wait()?;
        }
        let runtime = &self.store.runtime;
        let upload = match &mut self.upload {
            Some(upload) => upload,
            none => {
                let begun = runtime.block_on(self.bucket.put_multipart(&self.path));
                none.insert(begun.map_err(|error| self.store.trouble(&error, &self.address))?)
            }
        };
        self.written += self.part.len() as u64;
        let payload = PutPayload::from(std::mem::take(&mut self.part));
        self.under_way.push_back(runtime.spawn(upload.put_part(payload)));
        self.parts += 1;
        Ok(())
    }

    /// Waits for the oldest part under way.
    fn wait(&mut self) -> Result<(), StoreTrouble> {
        let Some(part) = self.under_way.pop_front() else { return Ok(()) };
        match self.store.runtime.block_on(part) {
            Ok(sent) => sent.map_err(|error| self.store.trouble(&error, &self.address)),
            Err(error) => Err(StoreTrouble::Other(error.to_string())),
        }
    }
}

impl Write for ObjectWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failed {
            return Err(StoreTrouble::Failed.into());
        }
        if self.part.len() >= self.part_size()
            && let Err(trouble) = self.send()
        {
            self.failed = true;
            return Err(trouble.into());
        }
        let taken = (self.part_size() - self.part.len()).min(bytes.len());
        self.part.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        Ok(taken)
    }

    /// Nobody sees an object before it is finished.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for ObjectWriter {
    fn drop(&mut self) {
        let Some(mut upload) = self.upload.take() else { return };
        for part in self.under_way.drain(..) {
            part.abort();
            // a part that arrives after the upload was given up would stay
            let _ = self.store.runtime.block_on(part);
        }
        // the store may be gone; its own rules for unfinished uploads are left then
        let _ = self.store.runtime.block_on(upload.abort());
    }
}
