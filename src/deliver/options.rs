//! AWS's destination options.

use std::str::FromStr;

use crate::record::{FileFormat, UnknownDelivery, shown};

/// Which of AWS's prefixes the keys of objects have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Partitions {
    /// `name=value` prefixes, as Apache Hive partitions tables.
    pub hive_compatible: bool,
    /// A prefix for each hour beside the one for each day.
    pub per_hour: bool,
}

/// What `aws ec2 create-flow-logs --destination-options` takes; what is not named is `None`.
///
/// Source: Amazon EC2 API, `DestinationOptionsRequest`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DestinationOptions {
    /// `FileFormat`.
    pub file_format: Option<FileFormat>,
    /// `HiveCompatiblePartitions`.
    pub hive_compatible: Option<bool>,
    /// `PerHourPartition`.
    pub per_hour: Option<bool>,
}

/// What is wrong with destination options.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DestinationOptionsError {
    /// No `NAME=VALUE`, or a name that is none of AWS's.
    #[error(
        "`{0}` is no destination option: expected `FileFormat=plain-text|parquet`, `HiveCompatiblePartitions=true|false` or `PerHourPartition=true|false`, with commas between them"
    )]
    Unknown(String),
    /// A file format that does not exist.
    #[error("`FileFormat`: {0}")]
    FileFormat(#[from] UnknownDelivery),
    /// Neither `true` nor `false`.
    #[error("`{name}` is `{text}`, expected `true` or `false`")]
    NotBoolean {
        /// The option.
        name: &'static str,
        /// The text found.
        text: String,
    },
    /// An option that is there already.
    #[error("`{0}` is there twice")]
    Duplicate(&'static str),
}

impl FromStr for DestinationOptions {
    type Err = DestinationOptionsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        fn set<T>(slot: &mut Option<T>, name: &'static str, value: T) -> Result<(), DestinationOptionsError> {
            match slot.replace(value) {
                Some(_) => Err(DestinationOptionsError::Duplicate(name)),
                None => Ok(()),
            }
        }
        let boolean = |name: &'static str, text: &str| match text {
            "true" | "True" => Ok(true),
            "false" | "False" => Ok(false),
            _ => Err(DestinationOptionsError::NotBoolean { name, text: shown(text) }),
        };
        let mut options = DestinationOptions::default();
        for part in text.split(',').map(str::trim) {
            match part.split_once('=') {
                Some(("FileFormat", value)) => set(&mut options.file_format, "FileFormat", value.parse()?)?,
                Some(("HiveCompatiblePartitions", value)) => {
                    const NAME: &str = "HiveCompatiblePartitions";
                    set(&mut options.hive_compatible, NAME, boolean(NAME, value)?)?;
                }
                Some(("PerHourPartition", value)) => {
                    const NAME: &str = "PerHourPartition";
                    set(&mut options.per_hour, NAME, boolean(NAME, value)?)?;
                }
                _ => return Err(DestinationOptionsError::Unknown(shown(part))),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aws_words_are_read() {
        let options: DestinationOptions =
            "FileFormat=parquet,HiveCompatiblePartitions=true, PerHourPartition=false".parse().unwrap();
        assert_eq!(options.file_format, Some(FileFormat::Parquet));
        assert_eq!((options.hive_compatible, options.per_hour), (Some(true), Some(false)));
        for bad in [
            "",
            "FileFormat",
            "FileFormat=csv",
            "fileformat=parquet",
            "PerHourPartition=1",
            "PerHourPartition=true,PerHourPartition=true",
            "FileFormat=parquet,",
        ] {
            assert!(bad.parse::<DestinationOptions>().is_err(), "{bad:?}");
        }
    }
}
