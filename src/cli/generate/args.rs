//! What can be typed behind `generate`.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, ValueHint};

const EXAMPLES: &str = "\
Examples:
  flowtruth generate --list                          the ready scenarios
  flowtruth generate ssh-and-rdp -o lesson           capture, flow log, VPC and truth of one of them
  flowtruth diff lesson/capture.pcap lesson/flow.log --vpc lesson/vpc
                                                     what its log says of its packets
  flowtruth generate --adversarial -o wrong          lines and captures that break parsers
  flowtruth generate my.toml -o out --packets 1000000000 --split 1GB
                                                     a scenario of your own, at length";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct GenerateArgs {
    /// The name of a ready scenario, or a file with one in TOML
    #[arg(value_name = "SCENARIO", required_unless_present_any = ["list", "adversarial"], value_hint = ValueHint::FilePath)]
    pub scenario: Option<PathBuf>,

    /// The folder to write into; it must not be there yet, or be empty
    #[arg(short, long, value_name = "DIR", required_unless_present = "list", value_hint = ValueHint::DirPath)]
    pub output: Option<PathBuf>,

    /// Write input that is wrong on purpose, to test parsers with, in place of a scenario
    #[arg(long, conflicts_with = "scenario")]
    pub adversarial: bool,

    /// List the ready scenarios
    #[arg(long, conflicts_with_all = ["scenario", "output", "adversarial"])]
    pub list: bool,

    /// With `--list`: write JSON
    #[arg(long, requires = "list")]
    pub json: bool,

    #[command(flatten)]
    pub log: LogArgs,

    #[command(flatten)]
    pub capture: CaptureArgs,

    #[command(flatten)]
    pub extent: ExtentArgs,

    /// Say nothing on standard error but warnings and errors
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Log")]
pub struct LogArgs {
    /// Fields of a record, as for `convert` [default: the scenario's]
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,

    /// Leave out AWS's header line, as in CloudWatch Logs
    #[arg(long)]
    pub no_header: bool,

    /// Seconds that one record spans at most [default: the scenario's]
    #[arg(long, value_name = "60|600|SECONDS")]
    pub max_aggregation_interval: Option<NonZeroU32>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Capture")]
pub struct CaptureArgs {
    /// Write pcapng; without it pcap, unless the capture says that it lost packets
    #[arg(long)]
    pub pcapng: bool,

    /// Begin another capture after so many bytes, such as `100MB`
    #[arg(long, value_name = "SIZE", value_parser = some_bytes)]
    pub split: Option<u64>,
}

/// Each of these but the seed has the scenario begin again, as often as it takes.
#[derive(Args, Debug)]
#[command(next_help_heading = "Extent")]
pub struct ExtentArgs {
    /// Another seed gives other traffic of the same kind [default: the scenario's]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// Run the scenario so many times, one after another
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub repeat: Option<u64>,

    /// Run it again until there are so many flows, each direction one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub flows: Option<u64>,

    /// Run it again until so many packets are sent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub packets: Option<u64>,

    /// Run it again until so much time has passed
    #[arg(long, value_name = "SECONDS", value_parser = some_seconds)]
    pub duration: Option<u64>,
}

fn some_bytes(text: &str) -> Result<u64, String> {
    some(crate::cli::memory::parse_bytes(text)?)
}

fn some_seconds(text: &str) -> Result<u64, String> {
    some(crate::cli::args::seconds(text)?)
}

fn some(number: u64) -> Result<u64, String> {
    if number > 0 { Ok(number) } else { Err("expected more than 0".to_owned()) }
}
