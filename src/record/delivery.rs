//! The words for how a log is delivered: what is in a file, and which files there are.

use std::fmt;
use std::str::FromStr;

use super::error::shown;

/// What a flow log file holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileFormat {
    /// A record a line, values between single spaces: AWS's `plain-text`.
    #[default]
    PlainText,
    /// Apache Parquet with AWS's column names and types: AWS's `parquet`.
    Parquet,
    /// A JSON object a line, with the column names that Parquet has. AWS delivers no such files.
    Json,
    /// An event of the Open Cybersecurity Schema Framework a line, class 4001, as JSON. AWS's Security Lake keeps such
    /// events (as Parquet).
    Ocsf,
}

impl FileFormat {
    /// Every file format.
    pub const ALL: [FileFormat; 4] =
        [FileFormat::PlainText, FileFormat::Parquet, FileFormat::Json, FileFormat::Ocsf];

    /// The word for it, AWS's where AWS has one (API `DestinationOptionsRequest`, `FileFormat`).
    pub const fn name(self) -> &'static str {
        match self {
            FileFormat::PlainText => "plain-text",
            FileFormat::Parquet => "parquet",
            FileFormat::Json => "json",
            FileFormat::Ocsf => "ocsf",
        }
    }

    /// What the names of such files end with.
    pub const fn extension(self) -> &'static str {
        match self {
            FileFormat::PlainText => "log",
            FileFormat::Parquet => "parquet",
            FileFormat::Json => "ndjson",
            FileFormat::Ocsf => "ocsf.ndjson",
        }
    }
}

/// Which files a log is laid out in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layout {
    /// One file with all records.
    #[default]
    File,
    /// Objects with AWS's keys and names, one or more for five minutes (AWS "Flow log files").
    S3,
    /// Batches of events as `aws logs put-log-events --cli-input-json` takes them.
    CloudWatch,
    /// Gzip messages as a subscription filter of CloudWatch Logs sends them.
    CloudWatchSubscription,
}

impl Layout {
    /// Every layout.
    pub const ALL: [Layout; 4] =
        [Layout::File, Layout::S3, Layout::CloudWatch, Layout::CloudWatchSubscription];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Layout::File => "file",
            Layout::S3 => "s3",
            Layout::CloudWatch => "cloudwatch",
            Layout::CloudWatchSubscription => "cloudwatch-subscription",
        }
    }
}

/// A word that is none of those that are expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {what}: expected {expected}")]
pub struct UnknownDelivery {
    /// The text found.
    pub text: String,
    /// What it should have named.
    pub what: &'static str,
    /// The words that are allowed.
    pub expected: String,
}

impl UnknownDelivery {
    fn new(text: &str, what: &'static str, names: &[&str]) -> UnknownDelivery {
        let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let expected = match quoted.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            _ => quoted.concat(),
        };
        UnknownDelivery { text: shown(text), what, expected }
    }
}

macro_rules! named {
    ($($type:ty, $what:literal;)*) => {$(
        /// The word for it.
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }

        /// Reads the word.
        impl FromStr for $type {
            type Err = UnknownDelivery;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                <$type>::ALL
                    .into_iter()
                    .find(|one| one.name() == text)
                    .ok_or_else(|| UnknownDelivery::new(text, $what, &<$type>::ALL.map(<$type>::name)))
            }
        }
    )*};
}

named! {
    FileFormat, "file format";
    Layout, "layout";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_as_it_is_printed() {
        for format in FileFormat::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        for layout in Layout::ALL {
            assert_eq!(layout.to_string().parse(), Ok(layout));
        }
        assert_eq!(
            "csv".parse::<FileFormat>().unwrap_err().to_string(),
            "`csv` is no file format: expected `plain-text`, `parquet`, `json` or `ocsf`"
        );
    }
}
