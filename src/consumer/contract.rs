//! What a consumer insists on, as data.

use std::fmt;

use crate::record::{Field, FileFormat, Layout, LogFormat};

/// Which fields, in which order, a consumer can make sense of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formats {
    /// Any fields up to this flow log version in any order: it is told which, or the header line tells it.
    UpTo(u8),
    /// Exactly the fields of one of these lists, in that order. The one that is preferred comes first.
    OneOf(&'static [&'static [Field]]),
}

/// Whether text has AWS's header line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// The header must be the first line, else a record is lost or nothing is read.
    Required,
    /// A header is taken for a record, or refused.
    Forbidden,
    /// It is read with and without.
    Either,
}

/// What a log must be for a consumer to read it whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contract {
    /// The consumer in full, with the version that the contract was established with where that is known.
    pub title: &'static str,
    /// The fields it takes.
    pub formats: Formats,
    /// The file formats it takes, the one to choose first.
    pub file_formats: &'static [FileFormat],
    /// The header line of text.
    pub header: Header,
    /// The layouts it takes, the one to choose first.
    pub layouts: &'static [Layout],
    /// What it does not survive, in a few words each.
    pub breaks_on: &'static [&'static str],
}

/// What of a log a consumer does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContractBreach {
    /// A field of a version that it does not know.
    FieldTooNew {
        /// The first such field.
        field: Field,
        /// The newest version that it knows.
        up_to: u8,
    },
    /// None of the field lists that it knows.
    NoSuchFormat {
        /// How many fields the log has.
        fields: usize,
        /// The lists that it knows.
        known: &'static [&'static [Field]],
    },
}

impl fmt::Display for ContractBreach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ContractBreach::FieldTooNew { field, up_to } => {
                write!(
                    f,
                    "`{field}` is of version {}, and it knows fields up to version {up_to}",
                    field.version()
                )
            }
            ContractBreach::NoSuchFormat { fields, known } => {
                let counts: Vec<String> = known.iter().map(|list| list.len().to_string()).collect();
                write!(
                    f,
                    "these {fields} fields are in none of the orders that it knows, which have {} fields",
                    counts.join(", ")
                )
            }
        }
    }
}

impl Contract {
    /// The format to write where the user chose none.
    pub fn preferred_format(&self) -> LogFormat {
        match self.formats {
            Formats::UpTo(_) => LogFormat::default(),
            Formats::OneOf(lists) => lists
                .first()
                .and_then(|fields| LogFormat::new(fields.iter().copied()).ok())
                .unwrap_or_default(),
        }
    }

    /// Whether the consumer makes sense of records in this format.
    ///
    /// # Errors
    /// [`ContractBreach`] says what it does not know.
    pub fn reads(&self, format: &LogFormat) -> Result<(), ContractBreach> {
        match self.formats {
            Formats::UpTo(up_to) => match format.fields().iter().find(|field| field.version() > up_to) {
                Some(&field) => Err(ContractBreach::FieldTooNew { field, up_to }),
                None => Ok(()),
            },
            Formats::OneOf(known) if known.contains(&format.fields()) => Ok(()),
            Formats::OneOf(known) => {
                Err(ContractBreach::NoSuchFormat { fields: format.fields().len(), known })
            }
        }
    }

    /// Whether text in this layout has a header line where the user did not say. Objects on S3 have one as AWS's have,
    /// if the consumer lets them.
    pub fn writes_header(&self, layout: Layout) -> bool {
        match self.header {
            Header::Required => true,
            Header::Forbidden => false,
            Header::Either => layout == Layout::S3,
        }
    }
}
