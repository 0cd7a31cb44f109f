//! An Arrow IPC stream or a Parquet file → batches.
//!
//! If you change this: both crates are hardened, but not free of panics on hostile bytes, so they are only called
//! through [`calmly`].

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::error::{PartialError, PartialErrorKind};
use super::metadata::{Closing, Opening};
use super::schema::check;
use super::write::{PartialForm, of_arrow, of_parquet};

/// How many bytes it takes to know partial records.
pub const PARTIAL_SNIFF_LENGTH: usize = 8;

/// How many rows of a Parquet file are read at once.
const BATCH: usize = 8192;

/// How an Arrow IPC stream begins: a message follows.
const CONTINUATION: &[u8] = &[0xff; 4];
/// How a Parquet file begins and ends.
const PARQUET: &[u8] = b"PAR1";
/// How an Arrow IPC file begins.
const ARROW_FILE: &[u8] = b"ARROW1";

/// What something is by its first bytes, if it may be partial records.
pub fn sniff_partial(head: &[u8]) -> Option<PartialForm> {
    match head {
        _ if head.starts_with(CONTINUATION) => Some(PartialForm::Arrow),
        _ if head.starts_with(PARQUET) => Some(PartialForm::Parquet),
        _ => None,
    }
}

type Stream = BufReader<Box<dyn Read + Send>>;

/// Reads partial records in either form, told apart by their first bytes.
pub struct PartialReader {
    name: String,
    opening: Opening,
    batches: Batches,
    closing: Option<Closing>,
    rows: u64,
}

enum Batches {
    Arrow(Box<StreamReader<Stream>>),
    Parquet(Box<ParquetRecordBatchReader>),
}

impl PartialReader {
    /// Opens a file.
    ///
    /// # Errors
    /// Where it cannot be read or is something else.
    pub fn open(path: &Path) -> Result<PartialReader, PartialError> {
        let name = path.display().to_string();
        // a pipe can be opened once, and goes forward only
        if path.metadata().is_ok_and(|metadata| !metadata.is_file())
            && let Ok(pipe) = File::open(path)
        {
            return PartialReader::new(&name, Box::new(pipe));
        }
        let opened = File::open(path).and_then(|mut file| {
            let mut head = Vec::with_capacity(PARTIAL_SNIFF_LENGTH);
            file.by_ref().take(PARTIAL_SNIFF_LENGTH as u64).read_to_end(&mut head)?;
            file.seek(SeekFrom::Start(0))?;
            Ok((head, file))
        });
        let read = match opened {
            Ok((head, file)) if sniff_partial(&head) == Some(PartialForm::Parquet) => Self::parquet(file),
            Ok((head, file)) => Self::stream(&head, Box::new(file)),
            Err(error) => Err(PartialErrorKind::Read(error)),
        };
        read.map(|reader| PartialReader { name: name.clone(), ..reader })
            .map_err(|kind| PartialError { name, kind })
    }

    /// Reads from something open. A Parquet file, which says at its end what is in it, is copied to the temporary
    /// directory first.
    ///
    /// # Errors
    /// As [`open`](PartialReader::open).
    pub fn new(name: &str, mut reader: Box<dyn Read + Send>) -> Result<PartialReader, PartialError> {
        let mut head = Vec::with_capacity(PARTIAL_SNIFF_LENGTH);
        let sniffed = reader.by_ref().take(PARTIAL_SNIFF_LENGTH as u64).read_to_end(&mut head);
        let mut whole: Box<dyn Read + Send> = Box::new(io::Cursor::new(head.clone()).chain(reader));
        let read = match sniffed {
            Err(error) => Err(PartialErrorKind::Read(error)),
            Ok(_) if sniff_partial(&head) == Some(PartialForm::Parquet) => tempfile::tempfile()
                .and_then(|mut file| {
                    io::copy(&mut whole, &mut file)?;
                    file.seek(SeekFrom::Start(0))?;
                    Ok(file)
                })
                .map_err(PartialErrorKind::Read)
                .and_then(Self::parquet),
            Ok(_) => Self::stream(&head, whole),
        };
        read.map(|reader| PartialReader { name: name.to_owned(), ..reader })
            .map_err(|kind| PartialError { name: name.to_owned(), kind })
    }

    fn stream(head: &[u8], reader: Box<dyn Read + Send>) -> Result<PartialReader, PartialErrorKind> {
        match sniff_partial(head) {
            Some(_) => {}
            None if head.starts_with(ARROW_FILE) => return Err(PartialErrorKind::ArrowFile),
            None => return Err(PartialErrorKind::Other),
        }
        let reader = BufReader::with_capacity(1 << 18, reader);
        let stream = calmly(|| StreamReader::try_new(reader, None).map_err(of_arrow))?;
        let schema = stream.schema();
        let opening = Opening::of(&schema.metadata().into())?;
        check(&schema).map_err(PartialErrorKind::Columns)?;
        Ok(Self::begun(opening, Batches::Arrow(Box::new(stream)), None))
    }

    fn parquet(file: File) -> Result<PartialReader, PartialErrorKind> {
        let length = file.metadata().map_err(PartialErrorKind::Read)?.len();
        let builder = calmly(|| ParquetRecordBatchReaderBuilder::try_new(file).map_err(of_parquet))?;
        let metadata = builder.metadata();
        let pairs = metadata.file_metadata().key_value_metadata();
        let pairs: HashMap<String, String> = pairs
            .into_iter()
            .flatten()
            .filter_map(|pair| Some((pair.key.clone(), pair.value.clone()?)))
            .collect();
        let opening = Opening::of(&pairs)?;
        check(builder.schema()).map_err(PartialErrorKind::Columns)?;
        let closing = Closing::of(&pairs)?;
        for column in metadata.row_groups().iter().flat_map(|group| group.columns()) {
            let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
            let end = start.checked_add(column.compressed_size());
            if start < 0 || column.compressed_size() < 0 || end.is_none_or(|end| end as u64 > length) {
                return Err(PartialErrorKind::Damaged(format!(
                    "its column `{}` is said to have {} bytes at {start}, and it has {length} in all",
                    column.column_path().string(),
                    column.compressed_size()
                )));
            }
        }
        let reader = calmly(|| builder.with_batch_size(BATCH).build().map_err(of_parquet))?;
        Ok(Self::begun(opening, Batches::Parquet(Box::new(reader)), Some(closing)))
    }

    fn begun(opening: Opening, batches: Batches, closing: Option<Closing>) -> PartialReader {
        PartialReader { name: String::new(), opening, batches, closing, rows: 0 }
    }

    /// What it is called in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What was known before the first row.
    pub fn opening(&self) -> &Opening {
        &self.opening
    }

    /// The next batch; `None` behind the last.
    ///
    /// # Errors
    /// Where it is cut or damaged.
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>, PartialError> {
        let next = match &mut self.batches {
            Batches::Arrow(stream) => calmly(|| stream.next().transpose().map_err(of_arrow)),
            Batches::Parquet(rows) => calmly(|| rows.next().transpose().map_err(of_arrow)),
        };
        let next = next.map_err(|kind| self.error(kind))?;
        self.rows = self.rows.saturating_add(next.as_ref().map_or(0, |batch| batch.num_rows() as u64));
        Ok(next)
    }

    /// What only the end tells. To be called behind the last batch.
    ///
    /// # Errors
    /// Where the end is missing, or the rows are not as many as it says.
    pub fn closing(&mut self) -> Result<Closing, PartialError> {
        let closing = match (&mut self.batches, self.closing.take()) {
            (_, Some(closing)) => Ok(closing),
            (Batches::Parquet(_), None) => {
                Err(PartialErrorKind::Damaged("it has been read already".to_owned()))
            }
            (Batches::Arrow(stream), None) => end_of_stream(stream.get_mut(), &self.opening),
        };
        let closing = closing.map_err(|kind| self.error(kind))?;
        if closing.rows != self.rows {
            let reason = format!("it says that it has {} rows, and has {}", closing.rows, self.rows);
            return Err(self.error(PartialErrorKind::Damaged(reason)));
        }
        Ok(closing)
    }

    /// An error about it.
    pub fn error(&self, kind: PartialErrorKind) -> PartialError {
        PartialError { name: self.name.clone(), kind }
    }
}

/// The stream without rows that ends what came before it.
fn end_of_stream(rest: &mut Stream, opening: &Opening) -> Result<Closing, PartialErrorKind> {
    let cut = |error: PartialErrorKind| match error {
        PartialErrorKind::Damaged(_) => {
            PartialErrorKind::Damaged("it ends before its end: it is cut, or still being written".to_owned())
        }
        error => error,
    };
    let end = calmly(|| StreamReader::try_new(&mut *rest, None).map_err(of_arrow)).map_err(cut)?;
    let schema = end.schema();
    let pairs = HashMap::from(schema.metadata());
    if Opening::of(&pairs)? != *opening {
        return Err(PartialErrorKind::Damaged("its end is of other rows than its beginning".to_owned()));
    }
    let closing = Closing::of(&pairs)?;
    drop(end);
    // the mark that ends the stream
    let mut behind = Vec::new();
    rest.take(9).read_to_end(&mut behind).map_err(PartialErrorKind::Read)?;
    match behind.as_slice() {
        [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0] => Ok(closing),
        marked if marked.len() < 8 => Err(cut(PartialErrorKind::Damaged(String::new()))),
        _ => Err(PartialErrorKind::Damaged("something stands behind its end".to_owned())),
    }
}

/// Calls a crate; a panic of its is an error.
fn calmly<T>(call: impl FnOnce() -> io::Result<T>) -> Result<T, PartialErrorKind> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        // only the system's errors have a number; the others are of what the file says
        Ok(Err(error)) if error.raw_os_error().is_some() => Err(PartialErrorKind::Read(error)),
        Ok(Err(error)) => Err(PartialErrorKind::Damaged(format!("it is damaged or cut ({error})"))),
        Err(_) => Err(PartialErrorKind::Damaged("its decoder gave up on it".to_owned())),
    }
}
