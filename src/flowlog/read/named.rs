//! Records whose values come with their columns' names: of Parquet, and JSON that is a record itself.

use crate::record::{FieldValueError, FlowRecord};

use super::columns::{Column, LogColumns};
use super::line::read_value;
use super::{Leniencies, Leniency};

/// The columns of the last record, and its values.
pub(super) struct NamedReader {
    pub(super) columns: LogColumns,
    /// The names that the columns were made from.
    names: Vec<String>,
    pub(super) record: FlowRecord,
    /// The text of the columns that are no fields.
    pub(super) others: Vec<String>,
    pub(super) leniencies: Leniencies,
}

impl NamedReader {
    pub(super) fn new() -> Self {
        NamedReader {
            columns: LogColumns::of_names(std::iter::empty()),
            names: Vec::new(),
            record: FlowRecord::default(),
            others: Vec::new(),
            leniencies: Leniencies::NONE,
        }
    }

    /// From here on these are the columns; nothing happens where they are already.
    pub(super) fn set_names<'a>(&mut self, names: impl Iterator<Item = &'a str> + Clone) {
        if names.clone().eq(self.names.iter().map(String::as_str)) {
            return;
        }
        self.names = names.map(str::to_owned).collect();
        self.columns = LogColumns::of_names(self.names.iter().map(String::as_str));
        self.others = self.columns.others().map(|_| String::new()).collect();
        self.record = FlowRecord::default();
    }

    /// Reads the values of a record, one for each column; `None` is a missing one.
    ///
    /// # Errors
    ///
    /// The first value that its field cannot hold. The record then has some of the values.
    pub(super) fn read<'a>(
        &mut self,
        texts: impl Iterator<Item = Option<&'a str>>,
    ) -> Result<(), FieldValueError> {
        self.leniencies = Leniencies::NONE;
        let mut others = self.others.iter_mut();
        for (column, text) in self.columns.columns().iter().zip(texts) {
            let text = text.unwrap_or("-");
            match column {
                Column::Other(_) => {
                    if let Some(other) = others.next() {
                        other.clear();
                        other.push_str(text);
                    }
                }
                Column::Field(field) => {
                    if read_value(*field, &mut self.record, text)? {
                        self.leniencies.insert(Leniency::WordCase);
                    }
                }
            }
        }
        Ok(())
    }
}
