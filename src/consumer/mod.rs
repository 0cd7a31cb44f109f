//! What reads flow logs, and what each reader insists on.
//!
//! A [`Consumer`] is a program or service that takes flow logs, its [`Contract`] what a log must be for it to be read
//! whole. The contracts contradict each other (one wants a header line, another takes it for a record), so "a flow log"
//! that all of them read does not exist. They were established by reading the consumers' sources and by running those
//! that can be run; `docs/consumers.md` says how.
//!
//! Floor 0: no I/O.

mod contract;
mod table;

use std::fmt;
use std::str::FromStr;

pub use contract::{Contract, ContractBreach, Formats, Header};

/// How much a text must be like a consumer's name (Jaro–Winkler, 0 to 1) for that to be suggested.
const SIMILAR: f64 = 0.7;

/// No name, however misspelt, has more characters.
const LONGEST: usize = 64;

/// A program or service that reads flow logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Consumer {
    /// The Python library and command `flowlogs-reader`.
    FlowlogsReader,
    /// `parse_aws_vpc_flow_log` of the Vector Remap Language.
    Vrl,
    /// The OpenTelemetry Collector's `awslogs_encoding` extension.
    Otel,
    /// Elastic's AWS integration, data stream `vpcflow`.
    Elastic,
    /// Grafana's `vpc-flow-logs-analyzer`.
    Grafana,
    /// Amazon Athena.
    Athena,
    /// DuckDB.
    DuckDb,
    /// The Splunk Add-on for AWS, source type `aws:cloudwatchlogs:vpcflow`.
    Splunk,
    /// Amazon CloudWatch Logs, by `PutLogEvents`.
    CloudWatch,
}

impl Consumer {
    /// Every consumer.
    pub const ALL: [Consumer; 9] = [
        Consumer::FlowlogsReader,
        Consumer::Vrl,
        Consumer::Otel,
        Consumer::Elastic,
        Consumer::Grafana,
        Consumer::Athena,
        Consumer::DuckDb,
        Consumer::Splunk,
        Consumer::CloudWatch,
    ];

    /// The name to type.
    pub const fn name(self) -> &'static str {
        match self {
            Consumer::FlowlogsReader => "flowlogs-reader",
            Consumer::Vrl => "vrl",
            Consumer::Otel => "otel",
            Consumer::Elastic => "elastic",
            Consumer::Grafana => "grafana",
            Consumer::Athena => "athena",
            Consumer::DuckDb => "duckdb",
            Consumer::Splunk => "splunk",
            Consumer::CloudWatch => "cloudwatch",
        }
    }

    /// What it insists on.
    pub const fn contract(self) -> &'static Contract {
        table::contract(self)
    }
}

/// The name to type.
impl fmt::Display for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no consumer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownConsumer {
    /// The text found; control characters are escaped, a long text is cut.
    pub text: String,
    /// The consumer that was probably meant.
    pub nearest: Option<Consumer>,
}

impl std::error::Error for UnknownConsumer {}

impl fmt::Display for UnknownConsumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no consumer that is known", self.text)?;
        match self.nearest {
            Some(nearest) => write!(f, "; the nearest is `{nearest}`"),
            None => {
                let names: Vec<String> = Consumer::ALL.iter().map(|one| format!("`{one}`")).collect();
                write!(f, ": expected one of {}", names.join(", "))
            }
        }
    }
}

/// Reads the name, in any letter case and with `_` or nothing for `-`.
impl FromStr for Consumer {
    type Err = UnknownConsumer;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |name: &str| name.replace(['-', '_'], "").to_ascii_lowercase();
        let wanted = plain(&text.chars().take(LONGEST + 1).collect::<String>());
        let same = |one: &Consumer| plain(one.name()) == wanted;
        Consumer::ALL.into_iter().find(same).ok_or_else(|| {
            let likeness = |one: &Consumer| strsim::jaro_winkler(&wanted, &plain(one.name()));
            let nearest = Consumer::ALL.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
            UnknownConsumer {
                text: crate::record::shown(text),
                nearest: nearest.filter(|one| likeness(one) > SIMILAR),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_as_it_is_printed() {
        for consumer in Consumer::ALL {
            assert_eq!(consumer.to_string().parse(), Ok(consumer));
        }
        assert_eq!("FlowLogs_Reader".parse(), Ok(Consumer::FlowlogsReader));
    }

    #[test]
    fn a_misspelt_name_gets_the_nearest_and_a_strange_one_all() {
        let misspelt = "flowlog-reader".parse::<Consumer>().unwrap_err();
        assert_eq!(
            misspelt.to_string(),
            "`flowlog-reader` is no consumer that is known; the nearest is `flowlogs-reader`"
        );
        let strange = "x\u{1b}".parse::<Consumer>().unwrap_err();
        assert_eq!(
            strange.to_string(),
            "`x\\u{1b}` is no consumer that is known: expected one of `flowlogs-reader`, `vrl`, `otel`, `elastic`, \
             `grafana`, `athena`, `duckdb`, `splunk`, `cloudwatch`"
        );
        assert!("é".repeat(100_000).parse::<Consumer>().is_err());
    }
}
