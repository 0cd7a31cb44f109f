//! What a Parquet file claims, held against what it can have before anything is allocated for it.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;

use super::super::LogReadErrorKind;
use super::damaged;

/// The most bytes of what the end of the file says about it.
const FOOTER_LIMIT: u64 = 8 << 20;
/// The length and the magic at the end.
const TAIL: u64 = 8;
/// The most bytes of the open pages of all columns together.
const PAGES_LIMIT: u64 = 256 << 20;
/// The most bytes that the first numbers of a page's header take.
const PAGE_HEAD: usize = 24;

/// A file that is read at places, none of them beyond its end.
#[derive(Clone)]
pub(super) struct Guarded {
    file: Arc<File>,
    length: u64,
    /// What the open pages may take; `None` for the end of the file.
    share: Option<Share>,
}

impl Guarded {
    /// A file whose end does not claim too much.
    pub(super) fn new(file: File) -> Result<Guarded, LogReadErrorKind> {
        let length = file.metadata().map_err(LogReadErrorKind::Read)?.len();
        let guarded = Guarded { file: Arc::new(file), length, share: None };
        let tail = length.checked_sub(TAIL).filter(|start| *start >= super::MAGIC.len() as u64);
        let Some(start) = tail else {
            return Err(damaged(format!("it has {length} bytes, which is less than any Parquet file has")));
        };
        let tail = guarded.bytes_at(start, TAIL).map_err(LogReadErrorKind::Read)?;
        match tail.as_ref() {
            [a, b, c, d, magic @ ..] if magic == super::MAGIC => {
                let footer = u64::from(u32::from_le_bytes([*a, *b, *c, *d]));
                if footer > FOOTER_LIMIT.min(start) {
                    return Err(damaged(format!(
                        "it says that its description has {footer} bytes, expected at most {}",
                        FOOTER_LIMIT.min(start)
                    )));
                }
                Ok(guarded)
            }
            _ => Err(damaged(
                "it does not end with `PAR1`, so it is cut short or still being written".to_owned(),
            )),
        }
    }

    fn bytes_at(&self, start: u64, length: u64) -> io::Result<Bytes> {
        let ends = start.checked_add(length).is_some_and(|end| end <= self.length);
        if !ends {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("{length} bytes at {start} lie beyond its end at {}", self.length),
            ));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(start))?;
        file.take(length).read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }
}

impl Length for Guarded {
    fn len(&self) -> u64 {
        self.length
    }
}

/// Called for the end of the file, and then once for every page, at its header.
impl ChunkReader for Guarded {
    type T = io::Chain<io::Cursor<Vec<u8>>, BufReader<File>>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(start))?;
        let mut rest = BufReader::new(file);
        let mut head = Vec::new();
        if let Some(share) = &self.share {
            rest.by_ref().take(PAGE_HEAD as u64).read_to_end(&mut head)?;
            share.take(page_size(&head).ok_or_else(|| {
                ParquetError::General(format!("the page at byte {start} does not begin with its sizes"))
            })?)?;
        }
        Ok(io::Cursor::new(head).chain(rest))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        Ok(self.bytes_at(start, length as u64)?)
    }
}

/// The size in memory that a page's header says, and whether it is a dictionary: its first three fields in Thrift's
/// compact protocol (`PageHeader` of `parquet.thrift`: type, uncompressed size, compressed size), all of them 32-bit.
fn page_size(head: &[u8]) -> Option<(bool, u64)> {
    /// A field of 32 bits whose number is the next one.
    const NEXT_I32: u8 = 0x15;
    const DICTIONARY: i64 = 2;
    let mut bytes = head.iter();
    let mut field = || -> Option<i64> {
        if bytes.next() != Some(&NEXT_I32) {
            return None;
        }
        let mut number: u64 = 0;
        for shift in (0..35).step_by(7) {
            let byte = *bytes.next()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                // zigzag
                return Some((number >> 1).cast_signed() ^ -((number & 1).cast_signed()));
            }
        }
        None
    };
    let kind = field()?;
    let size = u64::try_from(field()?).ok()?;
    // in a page that is not compressed these are the bytes that are read
    let stored = u64::try_from(field()?).ok()?;
    Some((kind == DICTIONARY, size.max(stored)))
}

/// What the open pages of all columns take.
#[derive(Debug, Default)]
pub(super) struct Budget(AtomicU64);

/// A column's part of it: its dictionary and its open page.
#[derive(Clone)]
struct Share {
    budget: Arc<Budget>,
    dictionary: Arc<AtomicU64>,
    page: Arc<AtomicU64>,
}

impl Share {
    fn of(budget: &Arc<Budget>) -> Share {
        Share { budget: Arc::clone(budget), dictionary: Arc::default(), page: Arc::default() }
    }

    /// Takes room for a page, which takes the place of the one before.
    fn take(&self, (is_dictionary, size): (bool, u64)) -> Result<(), ParquetError> {
        let slot = if is_dictionary { &self.dictionary } else { &self.page };
        let before = slot.swap(size, Ordering::Relaxed);
        let total = &self.budget.0;
        total.fetch_sub(before, Ordering::Relaxed);
        let sum = total.fetch_add(size, Ordering::Relaxed).saturating_add(size);
        if sum > PAGES_LIMIT {
            return Err(ParquetError::General(format!(
                "its open pages have {sum} bytes, expected at most {PAGES_LIMIT}"
            )));
        }
        Ok(())
    }
}

/// A column of a row group whose numbers can be true.
pub(super) struct Chunk<'a>(&'a ColumnChunkMetaData);

impl<'a> Chunk<'a> {
    pub(super) fn check(chunk: &'a ColumnChunkMetaData, file: &Guarded) -> Result<Self, LogReadErrorKind> {
        let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
        let length = chunk.compressed_size();
        let end = u64::try_from(start).ok().zip(u64::try_from(length).ok());
        let end = end.and_then(|(start, length)| start.checked_add(length));
        if chunk.data_page_offset() < 0 || end.is_none_or(|end| end > file.length) {
            return Err(damaged(format!(
                "the column `{}` is said to have {length} bytes at {start}, the file has {}",
                chunk.column_path().string(),
                file.length
            )));
        }
        Ok(Chunk(chunk))
    }
}

/// The pages of a column, none of which says that it holds more values than it can.
pub(super) struct GuardedPages(SerializedPageReader<Guarded>);

impl GuardedPages {
    pub(super) fn new(
        file: &Guarded,
        chunk: &Chunk<'_>,
        budget: &Arc<Budget>,
        rows: u64,
    ) -> Result<GuardedPages, ParquetError> {
        let file = Guarded { share: Some(Share::of(budget)), ..file.clone() };
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        Ok(GuardedPages(SerializedPageReader::new(Arc::new(file), chunk.0, rows, None)?))
    }

    fn check(page: &Page) -> Result<(), ParquetError> {
        if let Page::DictionaryPage { buf, num_values, .. } = page
            // a value of a dictionary has a byte at least
            && *num_values as usize > buf.len()
        {
            return Err(ParquetError::General(format!(
                "a dictionary of {} bytes is said to have {num_values} values",
                buf.len()
            )));
        }
        Ok(())
    }
}

impl Iterator for GuardedPages {
    type Item = Result<Page, ParquetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for GuardedPages {
    fn get_next_page(&mut self) -> Result<Option<Page>, ParquetError> {
        let page = self.0.get_next_page()?;
        page.as_ref().map_or(Ok(()), GuardedPages::check)?;
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>, ParquetError> {
        self.0.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<(), ParquetError> {
        self.0.skip_next_page()
    }
}
