//! The columns of a log, as the rules see them.

use crate::record::{Field, LogFormat};

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LintColumn {
    /// A field of VPC flow logs.
    Field(Field),
    /// A field that only transit gateways have.
    TransitGateway(Box<str>),
    /// Anything else, by its name.
    Unknown(Box<str>),
    /// A field of VPC flow logs that is there already.
    Repeated(Field),
}

impl LintColumn {
    /// The name.
    pub fn name(&self) -> &str {
        match self {
            LintColumn::Field(field) | LintColumn::Repeated(field) => field.name(),
            LintColumn::TransitGateway(name) | LintColumn::Unknown(name) => name,
        }
    }
}

/// The columns in their order, and what follows from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) all: Vec<LintColumn>,
    /// Which fields are there, a bit each.
    fields: u64,
    /// What `version` should say.
    pub(super) version: Option<u8>,
    pub(super) of_transit_gateway: bool,
    pub(super) is_default: bool,
}

impl Columns {
    pub(super) fn new(all: Vec<LintColumn>) -> Columns {
        let fields = || {
            all.iter().filter_map(|column| match column {
                LintColumn::Field(field) => Some(*field),
                _ => None,
            })
        };
        let of_transit_gateway = all.iter().any(|column| matches!(column, LintColumn::TransitGateway(_)));
        let highest = fields().map(Field::version).max();
        let default = LogFormat::default();
        Columns {
            fields: fields().fold(0, |bits, field| bits | bit(field)),
            version: if of_transit_gateway { Some(6) } else { highest },
            of_transit_gateway,
            is_default: fields().count() == all.len() && fields().eq(default.fields().iter().copied()),
            all,
        }
    }

    /// Whether a field is among them.
    pub(super) fn has(&self, field: Field) -> bool {
        self.fields & bit(field) != 0
    }

    /// Whether one of them is unknown.
    pub(super) fn has_unknown(&self) -> bool {
        self.all.iter().any(|column| matches!(column, LintColumn::Unknown(_)))
    }

    /// The place of a field, from 1.
    pub(super) fn place(&self, field: Field) -> Option<usize> {
        let place = self.all.iter().position(|column| *column == LintColumn::Field(field));
        place.map(|place| place + 1)
    }

    /// The fields as a format, if every column is one.
    pub(super) fn format(&self) -> Option<LogFormat> {
        let fields: Option<Vec<Field>> = self
            .all
            .iter()
            .map(|column| match column {
                LintColumn::Field(field) => Some(*field),
                _ => None,
            })
            .collect();
        LogFormat::new(fields?).ok()
    }
}

/// A field's bit; there are fewer than 64 fields.
pub(super) const fn bit(field: Field) -> u64 {
    1 << field as u8
}
