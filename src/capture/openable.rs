//! What is no file and can yet be opened as often as is needed: an object in a store for one.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::{Capture, CaptureError, CaptureErrorKind};

/// Opens something from a place on.
type Opener = dyn Fn(u64) -> io::Result<Box<dyn Read + Send>> + Send + Sync;

/// Something that can be opened any number of times, and is the same each time.
#[derive(Clone)]
pub struct Openable {
    name: String,
    size: u64,
    opener: Arc<Opener>,
}

impl Openable {
    /// Something with a name for messages, its size in bytes, and the way to open it from a place on, in bytes from its
    /// start and below its size.
    pub fn new(
        name: impl Into<String>,
        size: u64,
        opener: impl Fn(u64) -> io::Result<Box<dyn Read + Send>> + Send + Sync + 'static,
    ) -> Openable {
        Openable { name: name.into(), size, opener: Arc::new(opener) }
    }

    /// The name in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Opens it as a capture, with a counter that goes up with the bytes read.
    pub(super) fn capture(&self, progress: Arc<AtomicU64>) -> Result<Capture, CaptureError> {
        let fail = |error| CaptureError::new(&self.name, CaptureErrorKind::Open(error));
        let reader = self.open().map_err(fail)?;
        Ok(Capture::from_counted_reader(&self.name, reader, progress)?.of_size(self.size))
    }

    /// Opens it from its start.
    ///
    /// # Errors
    /// Where that fails.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        (self.opener)(0)
    }

    /// Opens it from a place on, in bytes from its start.
    ///
    /// # Errors
    /// Where that fails.
    pub fn open_at(&self, place: u64) -> io::Result<Box<dyn Read + Send>> {
        if place > 0 && place >= self.size { Ok(Box::new(io::empty())) } else { (self.opener)(place) }
    }
}

impl fmt::Debug for Openable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Openable").field("name", &self.name).field("size", &self.size).finish_non_exhaustive()
    }
}
