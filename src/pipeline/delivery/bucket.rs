//! Objects below an address in S3.

use std::io;
use std::sync::Arc;

use crate::deliver::ObjectStore;
use crate::store::{ObjectAddress, Store, StoreTrouble};

/// Keeps each object in a bucket, below a prefix.
#[derive(Debug)]
pub struct BucketStore {
    store: Arc<Store>,
    below: ObjectAddress,
}

impl BucketStore {
    /// The objects below this address, where keys begin.
    pub fn new(store: Arc<Store>, below: ObjectAddress) -> BucketStore {
        BucketStore { store, below }
    }
}

impl ObjectStore for BucketStore {
    fn put(&mut self, key: &str, content: &[u8]) -> io::Result<()> {
        let address = self.below.below(key).map_err(StoreTrouble::Address)?;
        self.store.put(&address, content).map_err(io::Error::from)
    }
}
