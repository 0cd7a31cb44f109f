//! `s3://` addresses on the command line, as things to read and to write.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use flowtruth::capture::{Capture, Openable};
use flowtruth::flowlog::read::sniff_log;
use flowtruth::pipeline::BucketStore;
use flowtruth::store::{FoundObject, ObjectAddress, ObjectWriter, Store, StoreError, StoreTrouble};

use super::kind::{Kind, head};
use super::messages::{Trouble, clean, say, warning};
use super::summary::counted;

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
        Some(address(path)?.and_then(|address| self.find_at(&address)))
    }

    fn find_at(&mut self, address: &ObjectAddress) -> Result<Found, Trouble> {
        let store = self.connect(address)?;
        let found = store.find(address).map_err(|error| trouble(&error))?;
        if let [object] = &found[..]
            && object.address == *address
        {
            return Ok(Found::Object(openable(&store, object)));
        }
        let mut below = Vec::with_capacity(found.len());
        for object in &found {
            if object.size == 0 {
                warning(format_args!("`{}` is empty and left alone", clean(&object.address.to_string())));
            } else {
                below.push(openable(&store, object));
            }
        }
        Ok(Found::Below(below))
    }

    /// Begins to write an object, if the path is an address.
    pub fn create(path: &Path) -> Option<Result<ObjectWriter, Trouble>> {
        Some(address(path)?.and_then(|address| {
            let store = Objects::default().connect(&address)?;
            store.write(&address).map_err(|error| trouble(&error))
        }))
    }

    /// What puts objects below an address, if the path is one.
    pub fn below(path: &Path) -> Option<Result<BucketStore, Trouble>> {
        Some(address(path)?.and_then(|address| {
            let store = Objects::default().connect(&address)?;
            Ok(BucketStore::new(store, address))
        }))
    }

    fn connect(&mut self, address: &ObjectAddress) -> Result<Arc<Store>, Trouble> {
        if let Some(store) = &self.0 {
            return Ok(Arc::clone(store));
        }
        let store = Store::connect().map_err(|cause| {
            with_hint(Trouble::new(format!("`{address}` cannot be used")).caused_by(cause.clone()), &cause)
        })?;
        self.0 = Some(Arc::clone(&store));
        Ok(store)
    }
}

/// The objects of one kind: captures if there are any, else flow logs. What is neither is left alone.
pub fn of_one_kind(
    name: &Path,
    objects: Vec<Openable>,
    quiet: bool,
) -> Result<(Kind, Vec<Openable>), Trouble> {
    let (mut captures, mut logs) = (Vec::new(), Vec::new());
    let all = objects.len();
    for object in objects {
        let mut reader = open(&object)?;
        let first = head(&mut reader).map_err(|error| cannot_read(&object, error))?;
        if sniff_log(&first).is_some() {
            logs.push(object);
        } else if Capture::from_reader(object.name(), std::io::Cursor::new(first).chain(reader)).is_ok() {
            captures.push(object);
        }
    }
    let (kind, chosen) = if captures.is_empty() { (Kind::Log, logs) } else { (Kind::Capture, captures) };
    let name = clean(&name.display().to_string());
    if chosen.is_empty() {
        return Err(Trouble::new(format!(
            "`{name}` holds neither captures nor flow logs among its {}",
            counted(all as u64, "object")
        )));
    }
    if !quiet {
        let others = (all - chosen.len()) as u64;
        let what = if kind == Kind::Capture { "capture" } else { "flow log" };
        let found = counted(chosen.len() as u64, what);
        say(format_args!("`{name}`: {found} found, {} left alone", counted(others, "other object")));
    }
    Ok((kind, chosen))
}

/// The flow logs that an address stands for.
pub fn logs(name: &Path, found: Found, quiet: bool) -> Result<Vec<Openable>, Trouble> {
    let below = match found {
        Found::Object(object) => return Ok(vec![object]),
        Found::Below(below) => below,
    };
    match of_one_kind(name, below, quiet)? {
        (Kind::Log, logs) => Ok(logs),
        (Kind::Capture, _) => Err(Trouble::new(format!(
            "`{}` holds captures, expected flow logs",
            clean(&name.display().to_string())
        ))),
    }
}

/// Opens an object, and says what to do where that fails.
pub fn open(object: &Openable) -> Result<Box<dyn Read + Send>, Trouble> {
    object.open().map_err(|error| cannot_read(object, error))
}

fn cannot_read(object: &Openable, error: std::io::Error) -> Trouble {
    let hint = StoreTrouble::of(&error).and_then(StoreTrouble::hint);
    let trouble = Trouble::new(format!("`{}` cannot be read", clean(object.name()))).caused_by(error);
    match hint {
        Some(hint) => trouble.with_hint(hint),
        None => trouble,
    }
}

fn address(path: &Path) -> Option<Result<ObjectAddress, Trouble>> {
    let read = ObjectAddress::of_path(path)?;
    Some(read.map_err(|error| {
        let trouble = Trouble::new(format!("`{}` is no address", clean(&path.display().to_string())));
        with_hint(trouble.caused_by(error.clone()), &StoreTrouble::Address(error))
    }))
}

fn openable(store: &Arc<Store>, object: &FoundObject) -> Openable {
    let (store, address) = (Arc::clone(store), object.address.clone());
    Openable::new(object.address.to_string(), object.size, move |place| match store.read(&address, place) {
        Ok(reader) => Ok(Box::new(reader)),
        Err(error) => Err(error.into_trouble().into()),
    })
}

/// An error of the store as one that ends the run.
pub fn trouble(error: &StoreError) -> Trouble {
    with_hint(Trouble::new(error.to_string()), error.trouble())
}

fn with_hint(trouble: Trouble, cause: &StoreTrouble) -> Trouble {
    match cause.hint() {
        Some(hint) => trouble.with_hint(hint),
        None => trouble,
    }
}
