//! The store of a build without the feature `s3`: there is none.

use std::io::{self, Read, Write};
use std::sync::Arc;

use super::{FoundObject, ObjectAddress, StoreError, StoreTrouble};

/// A store of objects; a build without the feature `s3` never has one.
#[derive(Debug)]
pub enum Store {}

/// Reads an object.
#[derive(Debug)]
pub enum ObjectReader {}

/// Writes an object.
#[derive(Debug)]
pub enum ObjectWriter {}

impl Store {
    /// Finds no store.
    ///
    /// # Errors
    /// Always [`StoreTrouble::NotBuilt`].
    pub fn connect() -> Result<Arc<Store>, StoreTrouble> {
        Err(StoreTrouble::NotBuilt)
    }

    /// The object of this address, or the objects below it in the order of their keys.
    ///
    /// # Errors
    /// None: there is no store.
    pub fn find(&self, _: &ObjectAddress) -> Result<Vec<FoundObject>, StoreError> {
        match *self {}
    }

    /// Reads an object from a place on.
    ///
    /// # Errors
    /// None: there is no store.
    pub fn read(self: &Arc<Self>, _: &ObjectAddress, _: u64) -> Result<ObjectReader, StoreError> {
        match **self {}
    }

    /// Writes an object in one go.
    ///
    /// # Errors
    /// None: there is no store.
    pub fn put(self: &Arc<Self>, _: &ObjectAddress, _: &[u8]) -> Result<(), StoreError> {
        match **self {}
    }

    /// Begins to write an object.
    ///
    /// # Errors
    /// None: there is no store.
    pub fn write(self: &Arc<Self>, _: &ObjectAddress) -> Result<ObjectWriter, StoreError> {
        match **self {}
    }
}

impl Read for ObjectReader {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }
}

impl ObjectWriter {
    /// Completes the object.
    ///
    /// # Errors
    /// None: there is no store.
    pub fn finish(self) -> Result<(), StoreError> {
        match self {}
    }
}

impl Write for ObjectWriter {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        match *self {}
    }

    fn flush(&mut self) -> io::Result<()> {
        match *self {}
    }
}
