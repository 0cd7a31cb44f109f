//! Layers, their parts, and what becomes of each.

use std::ops::Range;

use crate::record::Field;

/// What a flow log record has of a header field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is a value of the record as it stands.
    Kept(&'static [Field]),
    /// It is added to a value of the record.
    Summed(Field),
    /// It says what follows, and nothing of it is in the record.
    Steers,
    /// Nothing of it is in the record.
    Lost,
}

impl Fate {
    /// The record's fields that it goes into.
    pub fn fields(&self) -> &[Field] {
        match self {
            Fate::Kept(fields) => fields,
            Fate::Summed(field) => std::slice::from_ref(field),
            Fate::Steers | Fate::Lost => &[],
        }
    }
}

/// What kind of thing the bytes of a part are, for whoever may not show all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Holds {
    /// A number that names nobody: a length, a type, a counter, a port.
    #[default]
    Number,
    /// An IP address.
    Address,
    /// A hardware address.
    Hardware,
    /// A number that gives away others: a checksum over addresses, or an address that is not told apart.
    Derived,
    /// Bytes that are not taken apart and may hold anything; the value says how many, or of what kind.
    Opaque,
}

/// One header field, or a run of bytes that are not told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is, in the words of the standard that defines it.
    pub name: &'static str,
    /// Where it is in the frame, in bytes. Fields that share a byte have it together.
    pub bytes: Range<usize>,
    /// The value in words; `None` where it was not captured.
    pub value: Option<String>,
    /// What a record has of it.
    pub fate: Fate,
    /// How many facts it holds: fields that share bytes are told apart here.
    pub facts: usize,
    /// What kind of thing its bytes are.
    pub holds: Holds,
    /// Whether its bytes are not to be shown.
    pub hidden: bool,
}

/// One header, or what is behind the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// What it is: `Ethernet`, `IPv4`, `TCP`, …
    pub name: &'static str,
    /// Whether it belongs to the IP packet that is counted, or to what is around it.
    pub counted: bool,
    /// Its parts, in the order of their bytes.
    pub parts: Vec<Part>,
}

impl Layer {
    /// The bytes of its parts.
    pub fn bytes(&self) -> Range<usize> {
        let start = self.parts.first().map_or(0, |part| part.bytes.start);
        start..self.parts.last().map_or(start, |part| part.bytes.end)
    }
}

/// A field of a record that a packet's own bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadField<'a> {
    /// The field.
    pub field: Field,
    /// The layer that says it.
    pub layer: &'a Layer,
    /// The part that says it.
    pub part: &'a Part,
}

impl<'a> ReadField<'a> {
    /// Which of a packet's bytes say what a record has of it.
    pub fn all(layers: &'a [Layer]) -> Vec<ReadField<'a>> {
        let mut found = Vec::new();
        for layer in layers.iter().filter(|layer| layer.counted) {
            for part in &layer.parts {
                found.extend(part.fate.fields().iter().map(|field| ReadField { field: *field, layer, part }));
            }
        }
        found
    }
}
