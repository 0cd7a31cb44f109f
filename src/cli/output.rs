//! Where records and other files are written.
//!
//! A regular file is written under a temporary name beside its place and renamed when it is complete, so that
//! nobody ever sees half of it; an object appears when it is complete. Devices and pipes are written directly.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use flowtruth::store::ObjectWriter;
use tempfile::{NamedTempFile, TempPath};

use super::messages::{Trouble, cannot_write};
use super::objects::Objects;

/// How much is gathered before it is written to a file.
const BUFFER: usize = 1 << 18;

/// An output that becomes visible when it is finished.
pub struct Output {
    writer: Writer,
    name: String,
    place: Option<(TempPath, PathBuf)>,
}

enum Writer {
    Standard(io::Stdout),
    Plain(Target),
    Gzip(Box<Steady<GzEncoder<Target>>>),
}

/// Where bytes go in the end.
enum Target {
    File(BufWriter<File>),
    Object(Box<ObjectWriter>),
}

impl Output {
    /// Standard output.
    pub fn standard() -> Self {
        Output { writer: Writer::Standard(io::stdout()), name: "standard output".to_owned(), place: None }
    }

    /// A file, or an object at an `s3://` address; gzip if its name ends with `.gz`. `-` is standard output.
    pub fn file(path: &Path) -> Result<Self, Trouble> {
        if path.as_os_str() == "-" {
            return Ok(Output::standard());
        }
        let name = format!("`{}`", path.display());
        let (target, place) = match Objects::create(path) {
            Some(object) => (Target::Object(Box::new(object?)), None),
            None => {
                let (file, place) = open(path).map_err(|error| cannot_create(path, error))?;
                (Target::File(BufWriter::with_capacity(BUFFER, file)), place)
            }
        };
        let gzip = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
        let writer = if gzip {
            Writer::Gzip(Box::new(Steady::new(GzEncoder::new(target, Compression::default()))))
        } else {
            Writer::Plain(target)
        };
        Ok(Output { writer, name, place })
    }

    /// What it is called in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether nobody sees it before it is complete.
    pub fn is_whole_or_not(&self) -> bool {
        let to_object = match &self.writer {
            Writer::Plain(target) => matches!(target, Target::Object(_)),
            Writer::Gzip(encoder) => matches!(encoder.inner.get_ref(), Target::Object(_)),
            Writer::Standard(_) => false,
        };
        to_object || self.place.is_some()
    }

    /// The file that has to go if the process ends at once.
    pub fn temporary(&self) -> Option<PathBuf> {
        self.place.as_ref().map(|(temporary, _)| temporary.to_path_buf())
    }

    /// Completes it and gives it its name.
    pub fn finish(self) -> Result<(), Trouble> {
        let Output { writer, name, place } = self;
        let completed = match writer {
            Writer::Standard(mut output) => output.flush(),
            Writer::Plain(target) => target.finish(),
            Writer::Gzip(encoder) => encoder.finish().and_then(GzEncoder::finish).and_then(Target::finish),
        };
        completed.map_err(|error| cannot_write(&name, error))?;
        if let Some((temporary, path)) = place {
            temporary.persist(path).map_err(|error| cannot_write(&name, error.error))?;
        }
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.writer {
            Writer::Standard(output) => output.write(bytes),
            Writer::Plain(target) => target.write(bytes),
            Writer::Gzip(encoder) => encoder.write(bytes),
        }
    }

    /// Nobody waits for a file that has no name yet.
    fn flush(&mut self) -> io::Result<()> {
        match &mut self.writer {
            Writer::Standard(output) => output.flush(),
            Writer::Plain(target) if self.place.is_none() => target.flush(),
            Writer::Plain(_) | Writer::Gzip(_) => Ok(()),
        }
    }
}

impl Target {
    /// Writes what is still gathered, and completes an object.
    fn finish(self) -> io::Result<()> {
        match self {
            Target::File(mut file) => file.flush(),
            Target::Object(object) => object.finish().map_err(|error| error.into_trouble().into()),
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Target::File(file) => file.write(bytes),
            Target::Object(object) => object.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Target::File(file) => file.flush(),
            Target::Object(object) => object.flush(),
        }
    }
}

/// Hands bytes on in pieces of one size, however they come: what gzip makes of them depends on the pieces, and the same
/// records are to be the same bytes.
struct Steady<W> {
    inner: W,
    piece: Vec<u8>,
}

impl<W: Write> Steady<W> {
    fn new(inner: W) -> Self {
        Steady { inner, piece: Vec::with_capacity(BUFFER) }
    }

    /// Hands the last bytes on; what they went to.
    fn finish(mut self) -> io::Result<W> {
        self.inner.write_all(&self.piece)?;
        Ok(self.inner)
    }
}

impl<W: Write> Write for Steady<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (taken, _) = bytes.split_at(bytes.len().min(BUFFER - self.piece.len()));
        self.piece.extend_from_slice(taken);
        if self.piece.len() == BUFFER {
            self.inner.write_all(&self.piece)?;
            self.piece.clear();
        }
        Ok(taken.len())
    }

    /// Nothing: a piece is handed on when it is complete.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens a temporary file beside the path, or the path itself where it is a device or a pipe.
fn open(path: &Path) -> io::Result<(File, Option<(TempPath, PathBuf)>)> {
    // these are links to files that the process has open already, and others may be writing to them
    if ["/dev/stdout", "/dev/stderr", "/dev/fd", "/proc"].iter().any(|open| path.starts_with(open)) {
        return Ok((OpenOptions::new().append(true).open(path)?, None));
    }
    // a link is followed, so that the rename does not replace it
    let place = match path.canonicalize() {
        Ok(place) => place,
        Err(error) if error.kind() == io::ErrorKind::NotFound => match path.read_link() {
            // a link to what does not exist yet
            Ok(target) => path.parent().unwrap_or(Path::new("")).join(target),
            Err(_) => path.to_path_buf(),
        },
        Err(error) => return Err(error),
    };
    let mut permissions = usual_permissions();
    match place.metadata() {
        Ok(metadata) if metadata.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(metadata) if !metadata.is_file() => {
            return Ok((OpenOptions::new().write(true).open(&place)?, None));
        }
        Ok(metadata) => permissions = Some(metadata.permissions()),
        Err(_) => {}
    }
    let directory = match place.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    directory.metadata()?;
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    let mut builder = tempfile::Builder::new();
    let prefix = format!(".{name}.");
    builder.prefix(&prefix).suffix(".partial");
    if let Some(permissions) = permissions {
        builder.permissions(permissions);
    }
    let (file, temporary) = NamedTempFile::into_parts(builder.tempfile_in(directory)?);
    Ok((file, Some((temporary, place))))
}

/// What a file gets that is created in the ordinary way; the process's mask applies.
#[cfg(unix)]
fn usual_permissions() -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn usual_permissions() -> Option<Permissions> {
    None
}

fn cannot_create(path: &Path, error: io::Error) -> Trouble {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty() && !parent.exists());
    let hint = match (parent, error.kind()) {
        (Some(parent), _) => {
            Some(format!("the directory does not exist; `mkdir -p {}` makes it", parent.display()))
        }
        (None, io::ErrorKind::IsADirectory) => Some("name a file in it".to_owned()),
        _ => None,
    };
    let trouble = Trouble::new(format!("cannot write to `{}`", path.display())).caused_by(error);
    match hint {
        Some(hint) => trouble.with_hint(hint),
        None => trouble,
    }
}
