//! Whether two paths lead to one file.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use flowtruth::store::ObjectAddress;

/// What all names of one existing file share, or what an object's address says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity(Which);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Which {
    File(Inner),
    Object(ObjectAddress),
}

#[cfg(unix)]
type Inner = (u64, u64);
#[cfg(not(unix))]
type Inner = PathBuf;

impl Identity {
    /// The identity of the regular file at a path, links followed, or of the object at an address; `None` where there is
    /// none.
    pub fn of_file(path: &Path) -> Option<Self> {
        if let Some(Ok(address)) = ObjectAddress::of_path(path) {
            return Some(Identity(Which::Object(address)));
        }
        let metadata = path.metadata().ok().filter(Metadata::is_file)?;
        Self::new(&metadata, path)
    }

    /// The identity of the regular file that standard input reads from, if it reads from one.
    pub fn of_standard_input() -> Option<Self> {
        #[cfg(unix)]
        {
            use std::os::fd::AsFd;
            let input = std::fs::File::from(io::stdin().as_fd().try_clone_to_owned().ok()?);
            let metadata = input.metadata().ok().filter(Metadata::is_file)?;
            Self::new(&metadata, Path::new("-"))
        }
        #[cfg(not(unix))]
        None
    }

    #[cfg(unix)]
    fn new(metadata: &Metadata, _: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        Some(Identity(Which::File((metadata.dev(), metadata.ino()))))
    }

    #[cfg(not(unix))]
    fn new(_: &Metadata, path: &Path) -> Option<Self> {
        path.canonicalize().ok().map(|path| Identity(Which::File(path)))
    }
}

/// Whether two paths name one regular file, which need not exist yet.
pub fn same_place(a: &Path, b: &Path) -> bool {
    let is_special = |path: &Path| path.metadata().is_ok_and(|metadata| !metadata.is_file());
    let resolved = |path: &Path| -> io::Result<PathBuf> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        Ok(parent.unwrap_or(Path::new(".")).canonicalize()?.join(path.file_name().unwrap_or_default()))
    };
    if is_special(a) || is_special(b) {
        return false;
    }
    match (Identity::of_file(a), Identity::of_file(b)) {
        (Some(a), Some(b)) => a == b,
        (None, None) => a == b || resolved(a).is_ok_and(|a| resolved(b).is_ok_and(|b| a == b)),
        _ => false,
    }
}
