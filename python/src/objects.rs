//! `s3://` addresses.

use std::path::Path;
use std::sync::Arc;

use flowtruth::capture::Openable;
use flowtruth::store::{FoundObject, ObjectAddress, Store, StoreTrouble};

use super::error::Trouble;

/// The store, connected to when the first address is met.
#[derive(Default)]
pub struct Objects(Option<Arc<Store>>);

/// What an address stands for.
pub enum Found {
    /// The object of this name.
    Object(Openable),
    /// The objects below it that are not empty.
    Below(Vec<Openable>),
}

impl Objects {
    /// What a path stands for that is an address; `None` where it is none.
    pub fn find(&mut self, path: &Path) -> Option<Result<Found, Trouble>> {
        let address = ObjectAddress::of_path(path)?;
        Some(match address {
            Ok(address) => self.find_at(&address),
            Err(error) => {
                let trouble = Trouble::new(format!("`{}` is no address", path.display())).caused_by(&error);
                Err(trouble.with_hint(StoreTrouble::Address(error).hint()))
            }
        })
    }

    fn find_at(&mut self, address: &ObjectAddress) -> Result<Found, Trouble> {
        let store = self.connect(address)?;
        let found =
            store.find(address).map_err(|error| Trouble::of(&error).with_hint(error.trouble().hint()))?;
        if let [object] = &found[..]
            && object.address == *address
        {
            return Ok(Found::Object(openable(&store, object)));
        }
        let below = found.iter().filter(|object| object.size > 0);
        Ok(Found::Below(below.map(|object| openable(&store, object)).collect()))
    }

    /// The object of an address, or all objects below it.
    pub fn list(&mut self, path: &Path) -> Result<Vec<Openable>, Trouble> {
        match self.find(path) {
            Some(found) => Ok(match found? {
                Found::Object(object) => vec![object],
                Found::Below(below) => below,
            }),
            None => Err(Trouble::new(format!("`{}` is no address of objects", path.display()))),
        }
    }

    /// The store.
    pub fn connect(&mut self, address: &ObjectAddress) -> Result<Arc<Store>, Trouble> {
        if let Some(store) = &self.0 {
            return Ok(Arc::clone(store));
        }
        let store = Store::connect().map_err(|cause| {
            let trouble = Trouble::new(format!("`{address}` cannot be used")).caused_by(&cause);
            trouble.with_hint(cause.hint())
        })?;
        self.0 = Some(Arc::clone(&store));
        Ok(store)
    }
}

fn openable(store: &Arc<Store>, object: &FoundObject) -> Openable {
    let (store, address) = (Arc::clone(store), object.address.clone());
    Openable::new(object.address.to_string(), object.size, move |place| match store.read(&address, place) {
        Ok(reader) => Ok(Box::new(reader)),
        Err(error) => Err(error.into_trouble().into()),
    })
}
