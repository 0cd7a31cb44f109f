//! The folder that is written into: it has everything or nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::cli::messages::{Trouble, cannot_write};

/// A folder that appears, or is filled, when all is complete.
pub struct Folder {
    temporary: tempfile::TempDir,
    place: PathBuf,
    /// Whether it was there, and empty. Then it stays: it may be a mount, a link, or where somebody stands.
    is_there: bool,
}

impl Folder {
    /// A folder that is not there yet, or empty.
    pub fn create(place: &Path) -> std::result::Result<Folder, Trouble> {
        let shown = place.display();
        let is_there = match fs::read_dir(place).map(|mut entries| entries.next().is_some()) {
            Ok(false) => true,
            Ok(true) => {
                return Err(Trouble::new(format!("`{shown}` is not empty"))
                    .with_hint("name a folder that is not there yet, so that nothing old is taken for new"));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => {
                return Err(Trouble::new(format!("`{shown}` cannot be written to")).caused_by(error));
            }
        };
        let parent = place.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = if is_there { place } else { parent.unwrap_or(Path::new(".")) };
        fs::metadata(parent).map_err(|error| {
            Trouble::new(format!("cannot create `{shown}`"))
                .caused_by(error)
                .with_hint("the folder that it is to be in has to be there")
        })?;
        let temporary = tempfile::Builder::new().prefix(".flowtruth-").tempdir_in(parent);
        let temporary =
            temporary.map_err(|error| Trouble::new(format!("cannot create `{shown}`")).caused_by(error))?;
        Ok(Folder { temporary, place: place.to_owned(), is_there })
    }

    /// Where to write until it is complete.
    pub fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// Gives it its name, or what was written its place in it.
    pub fn finish(self) -> std::result::Result<(), Trouble> {
        let named = |error| cannot_write(format_args!("`{}`", self.place.display()), error);
        if self.is_there {
            return self.fill().map_err(named);
        }
        set_usual_permissions(self.temporary.path()).map_err(named)?;
        fs::rename(self.temporary.path(), &self.place).map_err(named)?;
        // it is no longer there, and so not to be removed
        let _ = self.temporary.keep();
        Ok(())
    }

    fn fill(&self) -> io::Result<()> {
        for entry in fs::read_dir(self.temporary.path())? {
            let entry = entry?;
            fs::rename(entry.path(), self.place.join(entry.file_name()))?;
        }
        Ok(())
    }
}

/// A temporary folder is for its owner alone; a folder that is kept is as any other.
#[cfg(unix)]
fn set_usual_permissions(path: &Path) -> io::Result<()> {
    let inside = fs::read_dir(path)?.filter_map(|entry| entry.ok()).find(|entry| entry.path().is_dir());
    match inside {
        Some(folder) => fs::set_permissions(path, folder.metadata()?.permissions()),
        None => Ok(()),
    }
}

#[cfg(not(unix))]
fn set_usual_permissions(_: &Path) -> io::Result<()> {
    Ok(())
}
