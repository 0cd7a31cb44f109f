//! The keys of objects on S3 (AWS "Flow log files").

use std::fmt;
use std::io;
use std::str::FromStr;

use super::{Partitions, Slot};
use crate::record::{Field, FileFormat, shown};

/// A part of an object's name: an account, a Region. Parts stand between `_` and `/`, so they have neither.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamePart(Box<str>);

/// A text that cannot be part of an object's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot be part of an object's name: expected letters, digits and `-`, at most 64")]
pub struct NamePartError(pub String);

/// A record lacks a value that its object's name needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a record has no `{0}`, which the name of its object needs")]
pub struct MissingInName(pub Field);

impl MissingInName {
    /// The missing value that an error is about, if it is about one.
    pub fn of(error: &io::Error) -> Option<MissingInName> {
        error.get_ref()?.downcast_ref().copied()
    }

    /// What to do about it.
    pub const fn hint(self) -> &'static str {
        match self.0 {
            Field::AccountId => "give it with `--account-id 123456789012`",
            _ => "give it with `--set region=us-east-1`",
        }
    }
}

impl From<MissingInName> for io::Error {
    fn from(missing: MissingInName) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, missing)
    }
}

impl NamePart {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NamePart {
    type Err = NamePartError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        match !text.is_empty() && text != "-" && text.len() <= 64 && text.bytes().all(allowed) {
            true => Ok(NamePart(text.into())),
            false => Err(NamePartError(shown(text))),
        }
    }
}

impl fmt::Display for NamePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A flow log's identifier, `fl-` and hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowLogId(NamePart);

impl FlowLogId {
    /// An identifier for what is delivered in this way: the same for the same text, and of AWS's length.
    pub fn derived_from(configuration: &str) -> FlowLogId {
        // FNV-1a, with 128 bits so that 17 digits are well mixed
        let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
        for byte in configuration.bytes() {
            hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
        FlowLogId(NamePart(format!("fl-{:017x}", (hash >> 32) & ((1 << 68) - 1)).into()))
    }
}

/// Reads an identifier; AWS's are `fl-` and 8 or 17 hexadecimal digits, others are taken too.
impl FromStr for FlowLogId {
    type Err = NamePartError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("fl-") {
            Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                text.parse().map(FlowLogId)
            }
            _ => Err(NamePartError(shown(text))),
        }
    }
}

impl fmt::Display for FlowLogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the keys of one flow log's objects have in common.
#[derive(Clone, Debug)]
pub struct ObjectNames {
    /// The flow log.
    pub flow_log: FlowLogId,
    /// The prefixes.
    pub partitions: Partitions,
    /// What the objects hold.
    pub file_format: FileFormat,
}

impl ObjectNames {
    /// The key of an object with records of this account and Region that end in this slot. The hash tells apart objects
    /// of one slot.
    pub fn key(&self, account: &NamePart, region: &NamePart, slot: Slot, hash: u32) -> String {
        let [year, month, day, hour, minute] = slot.parts();
        let times = [format!("{year:04}"), format!("{month:02}"), format!("{day:02}"), format!("{hour:02}")];
        let mut key = self.prefix(account.as_str(), region.as_str(), times.each_ref().map(String::as_str));
        let flow_log = &self.flow_log;
        key += &format!(
            "{account}_vpcflowlogs_{region}_{flow_log}_{year:04}{month:02}{day:02}T{hour:02}{minute:02}Z_{hash:08x}"
        );
        key + self.suffix()
    }

    /// The prefix of objects of an account, a Region, and a year, month, day and hour: the key up to the name, or a
    /// pattern for it where the parts are patterns.
    pub fn prefix(&self, account: &str, region: &str, [year, month, day, hour]: [&str; 4]) -> String {
        let mut prefix = if self.partitions.hive_compatible {
            format!(
                "AWSLogs/aws-account-id={account}/aws-service=vpcflowlogs/aws-region={region}/\
                 year={year}/month={month}/day={day}/"
            )
        } else {
            format!("AWSLogs/{account}/vpcflowlogs/{region}/{year}/{month}/{day}/")
        };
        if self.partitions.per_hour {
            prefix += &match self.partitions.hive_compatible {
                true => format!("hour={hour}/"),
                false => format!("{hour}/"),
            };
        }
        prefix
    }

    /// Whether objects are compressed as a whole.
    pub fn are_gzip(&self) -> bool {
        self.file_format != FileFormat::Parquet
    }

    /// What the names of objects end with.
    pub const fn suffix(&self) -> &'static str {
        match self.file_format {
            FileFormat::PlainText => ".log.gz",
            FileFormat::Parquet => ".log.parquet",
            FileFormat::Json => ".log.ndjson.gz",
            FileFormat::Ocsf => ".log.ocsf.ndjson.gz",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(hive_compatible: bool, per_hour: bool, file_format: FileFormat) -> ObjectNames {
        let flow_log = "fl-1234abcd".parse().unwrap();
        ObjectNames { flow_log, partitions: Partitions { hive_compatible, per_hour }, file_format }
    }

    fn key(names: &ObjectNames) -> String {
        let slot = Slot::of(1_529_511_600).unwrap();
        names.key(&"123456789012".parse().unwrap(), &"us-east-1".parse().unwrap(), slot, 0xfe12_3456)
    }

    #[test]
    fn keys_are_those_of_the_documentation() {
        let name = "123456789012_vpcflowlogs_us-east-1_fl-1234abcd_20180620T1620Z_fe123456";
        let plain = "AWSLogs/123456789012/vpcflowlogs/us-east-1/2018/06/20/";
        let hive = "AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=us-east-1/year=2018/month=06/day=20/";
        let text = FileFormat::PlainText;
        assert_eq!(key(&names(false, false, text)), format!("{plain}{name}.log.gz"));
        assert_eq!(key(&names(false, true, text)), format!("{plain}16/{name}.log.gz"));
        assert_eq!(key(&names(true, false, text)), format!("{hive}{name}.log.gz"));
        assert_eq!(key(&names(true, true, FileFormat::Parquet)), format!("{hive}hour=16/{name}.log.parquet"));
    }

    #[test]
    fn parts_cannot_lead_elsewhere() {
        for bad in ["", "-", "a/b", "..", "a_b", "é", "a b", &"x".repeat(65)] {
            assert!(bad.parse::<NamePart>().is_err(), "{bad:?}");
        }
        for bad in ["fl", "fl-", "1234abcd", "fl-12/34", "fl-a_b", ""] {
            assert!(bad.parse::<FlowLogId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn derived_identifiers_are_stable_and_apart() {
        let one = FlowLogId::derived_from("a").to_string();
        assert_eq!(one, FlowLogId::derived_from("a").to_string());
        assert_ne!(one, FlowLogId::derived_from("b").to_string());
        assert_eq!(one.len(), "fl-".len() + 17);
        assert_eq!(one.parse::<FlowLogId>().unwrap().to_string(), one);
    }
}
