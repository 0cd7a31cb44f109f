//! Flow logs in Parquet: row after row, with the values as text.
//!
//! 1. The end of the file says what is in it ([`guard`] sees that it does not claim too much).
//! 2. A row group after another, of every column so many values at once become text ([`cells`]).
//! 3. A row is the texts of its columns, in the file's order. Columns that repeat within a row are left out.
//!
//! Numbers, strings and times are taken as they come; which field they are for, and whether it can hold them, is not
//! asked here.
//!
//! If you change this: the `parquet` crate is hardened, but not free of panics on hostile files, so it is only called
//! through [`calmly`].

mod cells;
mod guard;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parquet::column::reader::get_column_reader;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::LogReadErrorKind;
use cells::{Cell, Cells};
use guard::{Budget, Chunk, Guarded, GuardedPages};

/// The bytes that a Parquet file begins and ends with.
pub(super) const MAGIC: &[u8] = b"PAR1";

/// How many rows become text at once.
const BATCH: usize = 1024;

/// The advice where a file is damaged.
const DAMAGED: &str = "the records before the damage were read; the file is damaged or incomplete";
/// The advice for compressions that are not opened.
const COMPRESSION: &str = "write it with gzip, Snappy, LZ4 or no compression, as AWS does with gzip";

/// The rows of a file.
pub(super) struct ParquetRows {
    file: Guarded,
    metadata: Arc<ParquetMetaData>,
    /// The columns that are read: their place among the file's, and their names.
    columns: Vec<(usize, String)>,
    next_group: usize,
    /// Rows of the open row group that are not text yet.
    rows_left: u64,
    cells: Vec<Cells>,
    /// How many rows are text, and which of them is the current one.
    batch: usize,
    row: usize,
}

impl ParquetRows {
    /// Opens a file and reads what its end says.
    pub(super) fn open(file: File) -> Result<ParquetRows, LogReadErrorKind> {
        let file = Guarded::new(file)?;
        let metadata = calmly(|| ParquetMetaDataReader::new().parse_and_finish(&file))?;
        let schema = metadata.file_metadata().schema_descr();
        let is_flat =
            |(_, column): &(usize, &parquet::schema::types::ColumnDescPtr)| column.max_rep_level() == 0;
        let columns: Vec<_> = schema
            .columns()
            .iter()
            .enumerate()
            .filter(is_flat)
            .map(|(index, column)| (index, column.path().string()))
            .collect();
        if columns.is_empty() {
            return Err(damaged("it has no columns".to_owned()));
        }
        Ok(ParquetRows {
            file,
            metadata: Arc::new(metadata),
            columns,
            next_group: 0,
            rows_left: 0,
            cells: Vec::new(),
            batch: 0,
            row: 0,
        })
    }

    /// The names of the columns.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.columns.iter().map(|(_, name)| name.as_str())
    }

    /// Goes to the next row; `false` behind the last.
    pub(super) fn advance(&mut self) -> Result<bool, LogReadErrorKind> {
        self.row += 1;
        while self.row >= self.batch {
            if self.rows_left == 0 {
                if self.next_group >= self.metadata.num_row_groups() {
                    return Ok(false);
                }
                self.open_group()?;
                continue;
            }
            let wanted = usize::try_from(self.rows_left).unwrap_or(BATCH).min(BATCH);
            for cells in &mut self.cells {
                calmly(|| cells.read(wanted))?;
            }
            self.rows_left -= wanted as u64;
            (self.batch, self.row) = (wanted, 0);
        }
        Ok(true)
    }

    /// Opens the columns of the next row group.
    fn open_group(&mut self) -> Result<(), LogReadErrorKind> {
        let number = self.next_group;
        self.next_group += 1;
        self.batch = 0;
        self.cells.clear();
        let group = self.metadata.row_group(number);
        let rows = u64::try_from(group.num_rows())
            .map_err(|_| damaged(format!("row group {number} says that it has {} rows", group.num_rows())))?;
        let budget = Arc::new(Budget::default());
        let schema = self.metadata.file_metadata().schema_descr();
        for (index, name) in &self.columns {
            let chunk = group.columns().get(*index).zip(schema.columns().get(*index));
            let Some((chunk, column)) = chunk else {
                return Err(damaged(format!("row group {number} has no column `{name}`")));
            };
            let (chunk, column) = (Chunk::check(chunk, &self.file)?, Arc::clone(column));
            let pages = GuardedPages::new(&self.file, &chunk, &budget, rows);
            let reader = calmly(|| Ok(get_column_reader(Arc::clone(&column), Box::new(pages?))))?;
            self.cells.push(Cells::new(&column, reader));
        }
        self.rows_left = rows;
        Ok(())
    }

    /// The texts of the current row; `None` for a missing value.
    pub(super) fn texts(&self) -> impl Iterator<Item = Option<&str>> {
        self.cells.iter().map(|cells| match cells.get(self.row) {
            Cell::Text(text) => Some(text),
            Cell::Missing | Cell::NotText => None,
        })
    }

    /// The first column whose value in the current row is not text.
    pub(super) fn not_text(&self) -> Option<&str> {
        let mut columns = self.cells.iter().zip(&self.columns);
        columns.find(|(cells, _)| cells.get(self.row) == Cell::NotText).map(|(_, (_, name))| name.as_str())
    }
}

/// An error for a file that is not as it says.
fn damaged(reason: String) -> LogReadErrorKind {
    LogReadErrorKind::Parquet { reason, hint: Some(DAMAGED) }
}

/// Calls the crate; a panic of its is an error.
fn calmly<T>(call: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, LogReadErrorKind> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(ParquetError::NYI(reason))) => {
            Err(LogReadErrorKind::Parquet { reason, hint: Some(COMPRESSION) })
        }
        Ok(Err(ParquetError::External(error))) => match error.downcast::<std::io::Error>() {
            // only the system's errors have a number; the others are of what the file says
            Ok(error) if error.raw_os_error().is_some() => Err(LogReadErrorKind::Read(*error)),
            Ok(error) => Err(damaged(error.to_string())),
            Err(error) => Err(damaged(error.to_string())),
        },
        Ok(Err(error)) => {
            let reason = error.to_string();
            let is_compression = reason.contains("feature") || reason.contains("compression");
            let hint = if is_compression { COMPRESSION } else { DAMAGED };
            Err(LogReadErrorKind::Parquet { reason, hint: Some(hint) })
        }
        Err(_) => Err(damaged("its decoder gave up on it".to_owned())),
    }
}
