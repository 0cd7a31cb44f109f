//! Inputs that are read more than once: what comes from a pipe is copied to a temporary file on the way.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::PathBuf;

use super::LogInput;
use crate::capture::{CaptureInput, Openable};

/// An input that can be opened any number of times, one reading after another.
pub(super) enum Source {
    Path(PathBuf),
    Openable(Openable),
    Stream(Stream),
}

/// What can be read once, and its copy.
pub(super) struct Stream {
    name: String,
    unread: Option<Box<dyn Read + Send>>,
    copy: Option<File>,
}

impl Stream {
    fn new(name: String, reader: Box<dyn Read + Send>) -> Stream {
        Stream { name, unread: Some(reader), copy: None }
    }

    /// From its beginning: at first itself, later its copy.
    fn open(&mut self) -> Box<dyn Read + Send> {
        let opened = match self.unread.take() {
            Some(reader) => tempfile::tempfile().and_then(|file| {
                self.copy = Some(file.try_clone()?);
                Ok(Box::new(Copied { reader, file }) as Box<dyn Read + Send>)
            }),
            None => match &self.copy {
                Some(copy) => copy.try_clone().and_then(|mut file| {
                    file.rewind()?;
                    Ok(Box::new(file) as Box<dyn Read + Send>)
                }),
                None => Err(io::ErrorKind::NotFound.into()),
            },
        };
        opened.unwrap_or_else(|error| Box::new(Failing(Some(error))))
    }
}

/// A reader whose bytes are written to a file too.
struct Copied {
    reader: Box<dyn Read + Send>,
    file: File,
}

impl Read for Copied {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(target)?;
        if let Some(bytes) = target.get(..length) {
            self.file.write_all(bytes).map_err(no_copy)?;
        }
        Ok(length)
    }
}

/// A reader for what could not be opened.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), |error| Err(no_copy(error)))
    }
}

fn no_copy(error: io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!(
            "its copy in the temporary directory `{}` fails ({error}); a pipe is copied, to be read twice",
            std::env::temp_dir().display()
        ),
    )
}

/// Captures that are read more than once.
pub(in crate::pipeline) struct Captures(Vec<Source>);

impl From<Vec<CaptureInput>> for Captures {
    fn from(inputs: Vec<CaptureInput>) -> Self {
        let source = |input| match input {
            CaptureInput::Path(path) => Source::Path(path),
            CaptureInput::Openable(openable) => Source::Openable(openable),
            CaptureInput::Reader(name, reader) => Source::Stream(Stream::new(name, reader)),
        };
        Captures(inputs.into_iter().map(source).collect())
    }
}

impl Captures {
    /// All of them, from their beginning.
    pub(in crate::pipeline) fn open(&mut self) -> Vec<CaptureInput> {
        let open = |source: &mut Source| match source {
            Source::Path(path) => CaptureInput::Path(path.clone()),
            Source::Openable(openable) => CaptureInput::Openable(openable.clone()),
            Source::Stream(stream) => CaptureInput::Reader(stream.name.clone(), stream.open()),
        };
        self.0.iter_mut().map(open).collect()
    }
}

/// Logs that are read more than once.
pub(super) struct Logs {
    sources: Vec<Source>,
    were_read: bool,
}

impl From<Vec<LogInput>> for Logs {
    fn from(inputs: Vec<LogInput>) -> Self {
        let source = |input| match input {
            LogInput::Path(path) => Source::Path(path),
            LogInput::Openable(openable) => Source::Openable(openable),
            LogInput::Reader(name, reader) => Source::Stream(Stream::new(name, reader)),
        };
        Logs { sources: inputs.into_iter().map(source).collect(), were_read: false }
    }
}

impl Logs {
    /// Whether they were opened before.
    pub(super) fn were_read(&self) -> bool {
        self.were_read
    }

    /// All of them, from their beginning.
    pub(super) fn open(&mut self) -> Vec<LogInput> {
        let open = |source: &mut Source| match source {
            Source::Path(path) => LogInput::Path(path.clone()),
            Source::Openable(openable) => LogInput::Openable(openable.clone()),
            Source::Stream(stream) => LogInput::Reader(stream.name.clone(), stream.open()),
        };
        self.were_read = true;
        self.sources.iter_mut().map(open).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_read_as_often_as_it_takes() {
        let mut stream = Stream::new("pipe".to_owned(), Box::new(io::Cursor::new(b"some bytes".to_vec())));
        for _ in 0..3 {
            let mut text = String::new();
            stream.open().read_to_string(&mut text).unwrap();
            assert_eq!(text, "some bytes");
        }
    }
}
