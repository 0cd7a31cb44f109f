//! What the columns of a log are: fields of VPC flow logs, and others that are kept as text.

use crate::record::{Field, LogFormat};

use super::{Leniencies, Leniency};

/// The default format of transit gateway flow logs.
const TRANSIT_GATEWAY: &str = "version resource-type account-id tgw-id tgw-attachment-id tgw-src-vpc-account-id \
    tgw-dst-vpc-account-id tgw-src-vpc-id tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id tgw-src-eni tgw-dst-eni \
    tgw-src-az-id tgw-dst-az-id tgw-pair-attachment-id srcaddr dstaddr srcport dstport protocol packets bytes start \
    end log-status type packets-lost-no-route packets-lost-blackhole packets-lost-mtu-exceeded \
    packets-lost-ttl-expired tcp-flags region flow-direction pkt-src-aws-service pkt-dst-aws-service";

/// One column of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// A field of VPC flow logs.
    Field(Field),
    /// Anything else, by its name in the header: a field of transit gateway flow logs, one that AWS added since,
    /// or a field that the header names a second time.
    Other(Box<str>),
}

impl Column {
    /// The name: of a field as AWS spells it, of any other as the header has it.
    pub fn name(&self) -> &str {
        match self {
            Column::Field(field) => field.name(),
            Column::Other(name) => name,
        }
    }

    /// Whether AWS has a field of this name, in VPC flow logs or in those of transit gateways.
    pub fn is_known(&self) -> bool {
        match self {
            Column::Field(_) => true,
            Column::Other(name) => field_named(name).is_some() || is_of_transit_gateway(name),
        }
    }
}

/// The columns of a log in their order, from a header line or a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogColumns {
    columns: Vec<Column>,
    format: Option<LogFormat>,
}

impl LogColumns {
    /// The columns of a log without a header.
    pub(super) fn of_format(format: LogFormat) -> LogColumns {
        let columns = format.fields().iter().copied().map(Column::Field).collect();
        LogColumns { columns, format: Some(format) }
    }

    /// How many columns AWS's default format for transit gateways has.
    pub(super) const TRANSIT_GATEWAY_LENGTH: usize = 36;

    /// The columns of AWS's default format for transit gateways, all fields up to version 6 (AWS "Transit Gateway Flow
    /// Logs").
    pub(super) fn of_transit_gateway() -> LogColumns {
        LogColumns::of_names(TRANSIT_GATEWAY.split(' '))
    }

    /// The columns of these names, in either spelling: those of Parquet, or of JSON that is a record. A field that is
    /// named a second time is kept as text.
    pub(super) fn of_names<'a>(names: impl Iterator<Item = &'a str>) -> LogColumns {
        let mut fields: Vec<Field> = Vec::new();
        let mut columns = Vec::new();
        for name in names {
            columns.push(match field_named(name) {
                Some(field) if !fields.contains(&field) => {
                    fields.push(field);
                    Column::Field(field)
                }
                _ if is_of_transit_gateway(name) => {
                    Column::Other(name.to_ascii_lowercase().replace('_', "-").into())
                }
                _ => Column::Other(name.into()),
            });
        }
        LogColumns { columns, format: LogFormat::new(fields).ok() }
    }

    /// The columns in their order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The fields among the columns as a log format, in their order; `None` if no column is a field.
    pub fn format(&self) -> Option<&LogFormat> {
        self.format.as_ref()
    }

    /// The names of the columns that are no fields.
    pub fn others(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().filter_map(|column| match column {
            Column::Other(name) => Some(&**name),
            Column::Field(_) => None,
        })
    }

    /// Whether every column is a field.
    pub fn is_complete(&self) -> bool {
        self.others().next().is_none()
    }

    /// Whether any text at all fits every column, so that a header reads as a record.
    pub(super) fn all_text(&self) -> bool {
        let takes_text = |field: Field| field.read(&mut Default::default(), "!").is_ok();
        self.columns.iter().all(|column| match column {
            Column::Field(field) => takes_text(*field),
            Column::Other(_) => true,
        })
    }

    /// Reads a header line's words. It is one if at least half of them name fields, and one of them a field of VPC
    /// flow logs: a record's values do not.
    pub(super) fn from_header<'a>(
        words: impl ExactSizeIterator<Item = &'a str> + Clone,
    ) -> Option<(LogColumns, Leniencies)> {
        let count = words.len();
        let names = words.clone().filter(|word| Name::read(word).field.is_some()).count();
        if names == 0 || (names * 2 < count && (names + transit_gateway_names(words.clone())) * 2 < count) {
            return None;
        }
        let mut leniencies = Leniencies::NONE;
        let mut columns = Vec::with_capacity(count);
        let mut fields: Vec<Field> = Vec::new();
        for word in words {
            let name = Name::read(word);
            leniencies.insert_if(name.braces, Leniency::HeaderBraces);
            let column = match name.field {
                Some(field) if !fields.contains(&field) => {
                    leniencies.extend(name.leniencies());
                    fields.push(field);
                    Column::Field(field)
                }
                repeated => {
                    leniencies.insert_if(repeated.is_some(), Leniency::RepeatedColumn);
                    Column::Other(name.bare.into())
                }
            };
            columns.push(column);
        }
        Some((LogColumns { columns, format: LogFormat::new(fields).ok() }, leniencies))
    }
}

/// How many words are fields of transit gateway flow logs.
fn transit_gateway_names<'a>(words: impl Iterator<Item = &'a str>) -> usize {
    words.filter(|word| is_of_transit_gateway(Name::read(word).bare)).count()
}

/// The field that a text names, in any letter case and with `_` for `-`.
pub(super) fn field_named(name: &str) -> Option<Field> {
    let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
    begins_well.then(|| Field::ALL.into_iter().find(|field| is_named(name, field.name()))).flatten()
}

/// Whether a text names a field that only transit gateway flow logs have, spelled likewise.
pub(super) fn is_of_transit_gateway(name: &str) -> bool {
    Field::is_of_transit_gateway(name)
}

/// One word of what may be a header line.
struct Name<'a> {
    /// The word without `${}`.
    bare: &'a str,
    field: Option<Field>,
    braces: bool,
}

impl<'a> Name<'a> {
    fn read(word: &'a str) -> Self {
        let inner = word.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        let bare = inner.unwrap_or(word);
        Name { bare, field: field_named(bare), braces: inner.is_some() }
    }

    /// How the word differs from the field's name.
    fn leniencies(&self) -> Leniencies {
        let mut leniencies = Leniencies::NONE;
        leniencies.insert_if(self.bare.contains('_'), Leniency::HeaderUnderscores);
        leniencies.insert_if(self.bare.contains(|c: char| c.is_ascii_uppercase()), Leniency::HeaderCase);
        leniencies
    }
}

/// Whether a text is a field's name, in any letter case and with `_` for `-`.
fn is_named(text: &str, name: &str) -> bool {
    let same = |(a, b): (u8, u8)| a.to_ascii_lowercase() == b || (a == b'_' && b == b'-');
    text.len() == name.len() && text.bytes().zip(name.bytes()).all(same)
}
