//! Which column of a tool's output is which field.

use std::str::FromStr;

/// What a row can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    SrcAddr,
    DstAddr,
    SrcPort,
    DstPort,
    Protocol,
    Packets,
    Bytes,
    Start,
    End,
    TcpFlags,
    /// Of the other direction, where a row has both.
    ReversePackets,
    /// Likewise.
    ReverseBytes,
}

/// The roles by name: AWS's names of the fields, and two for rows with both directions.
pub(super) const ROLES: [(&str, Role); 12] = [
    ("srcaddr", Role::SrcAddr),
    ("dstaddr", Role::DstAddr),
    ("srcport", Role::SrcPort),
    ("dstport", Role::DstPort),
    ("protocol", Role::Protocol),
    ("packets", Role::Packets),
    ("bytes", Role::Bytes),
    ("start", Role::Start),
    ("end", Role::End),
    ("tcp-flags", Role::TcpFlags),
    ("reverse-packets", Role::ReversePackets),
    ("reverse-bytes", Role::ReverseBytes),
];

impl Role {
    /// AWS's name of the field.
    pub(super) fn name(self) -> &'static str {
        ROLES.iter().find(|(_, other)| *other == self).map_or("", |(name, _)| name)
    }
}

/// Which column of a tool's output is which field: `srcaddr=Src IP`. A field that is not named is looked for under its own
/// name, whatever its case, with `-`, `_` or nothing between its words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnMap {
    named: Vec<(Role, String)>,
}

/// What is wrong with a column that was named.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ColumnError {
    /// No `=`, or nothing on one side of it.
    #[error("`{0}` names no column: expected `FIELD=COLUMN`, such as `srcaddr=Src IP`")]
    Form(String),
    /// No such field.
    #[error("`{found}` is no field of a row: expected {}", names())]
    Field {
        /// The text found.
        found: String,
    },
}

fn names() -> String {
    let names: Vec<_> = ROLES.iter().map(|(name, _)| format!("`{name}`")).collect();
    names.join(", ")
}

/// One `FIELD=COLUMN`.
impl FromStr for ColumnMap {
    type Err = ColumnError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (field, column) = text
            .split_once('=')
            .filter(|(field, column)| !field.is_empty() && !column.is_empty())
            .ok_or_else(|| ColumnError::Form(text.to_owned()))?;
        let role = ROLES.iter().find(|(name, _)| *name == field).map(|(_, role)| *role);
        let role = role.ok_or_else(|| ColumnError::Field { found: field.to_owned() })?;
        Ok(ColumnMap { named: vec![(role, column.to_owned())] })
    }
}

impl FromIterator<ColumnMap> for ColumnMap {
    fn from_iter<T: IntoIterator<Item = ColumnMap>>(maps: T) -> Self {
        ColumnMap { named: maps.into_iter().flat_map(|map| map.named).collect() }
    }
}

/// A name as it is compared.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|character| character.to_ascii_lowercase()).collect()
}

impl ColumnMap {
    /// A field that two columns were named for.
    pub fn named_twice(&self) -> Option<&'static str> {
        let roles = self.named.iter().map(|(role, _)| *role);
        let twice =
            roles.enumerate().find(|(at, role)| self.named.iter().take(*at).any(|(other, _)| other == role));
        twice.map(|(_, role)| role.name())
    }

    /// A column that was named, for which field, and that is not among these.
    pub(super) fn missing(&self, columns: &[String]) -> Option<(&str, &'static str)> {
        let missing =
            self.named.iter().find(|(_, named)| !columns.iter().any(|column| column.trim() == named));
        missing.map(|(role, named)| (named.as_str(), role.name()))
    }

    /// Whether any column was named.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// The role of a column, if it has one.
    pub(super) fn role(&self, column: &str) -> Option<Role> {
        let column = column.trim();
        if let Some((role, _)) = self.named.iter().find(|(_, named)| named == column) {
            return Some(*role);
        }
        let own = ROLES.iter().find(|(name, _)| plain(name) == plain(column)).map(|(_, role)| *role)?;
        let is_taken = self.named.iter().any(|(role, _)| *role == own);
        (!is_taken).then_some(own)
    }
}
