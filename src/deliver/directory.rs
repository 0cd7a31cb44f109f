//! Objects as files of a directory.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{ObjectStore, check_key};

/// Keeps each object in a file whose path is its key.
#[derive(Clone, Debug)]
pub struct DirectoryStore {
    root: PathBuf,
}

impl DirectoryStore {
    /// A store in a directory, which is made where it does not exist.
    ///
    /// # Errors
    /// Where it cannot be made, or is no directory.
    pub fn new(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        Ok(DirectoryStore { root: root.to_path_buf() })
    }
}

impl ObjectStore for DirectoryStore {
    fn put(&mut self, key: &str, content: &[u8]) -> io::Result<()> {
        check_key(key).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let path = self.root.join(key);
        let put = || -> io::Result<()> {
            let directory = path.parent().unwrap_or(&self.root);
            fs::create_dir_all(directory)?;
            let mut builder = tempfile::Builder::new();
            builder.prefix(".").suffix(".partial");
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
            let mut file = builder.tempfile_in(directory)?;
            file.write_all(content)?;
            file.persist(&path).map_err(|error| error.error)?;
            Ok(())
        };
        put().map_err(|error| io::Error::new(error.kind(), Misplaced { path: path.clone(), source: error }))
    }
}

/// An error of the file system, and the file it is about.
#[derive(Debug, thiserror::Error)]
#[error("`{}`", path.display())]
struct Misplaced {
    path: PathBuf,
    source: io::Error,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn an_object_is_a_file_and_takes_the_place_of_an_earlier_one() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("new");
        let mut store = DirectoryStore::new(&root).unwrap();
        store.put("a/b.log", b"one").unwrap();
        store.put("a/b.log", b"two").unwrap();
        assert_eq!(fs::read(root.join("a/b.log")).unwrap(), b"two");
        assert_eq!(names(&root.join("a")), ["b.log"]);
    }

    #[test]
    fn what_cannot_be_put_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let mut store = DirectoryStore::new(directory.path()).unwrap();
        assert_eq!(store.put("../x", b"").unwrap_err().kind(), io::ErrorKind::InvalidInput);
        fs::create_dir_all(directory.path().join("a/b.log/c")).unwrap();
        let error = store.put("a/b.log", b"one").unwrap_err();
        assert!(error.to_string().contains("b.log"), "{error}");
        assert_eq!(names(&directory.path().join("a")), ["b.log"]);
        fs::write(directory.path().join("file"), "").unwrap();
        assert!(store.put("file/x", b"").is_err());
        assert!(DirectoryStore::new(&directory.path().join("file")).is_err());
    }
}
