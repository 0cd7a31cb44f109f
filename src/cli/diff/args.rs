//! What can be typed behind `diff`.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use flowtruth::decode::Tunnels;
use flowtruth::diff::Delta;
use flowtruth::filter::Filter;
use flowtruth::flow::VpcCidr;
use flowtruth::pipeline::TrafficType;

const DIFF_EXAMPLES: &str = "\
Examples:
  flowtruth diff capture.pcap flow.log
      the packets against a flow log
  flowtruth diff --vpc-cidr 10.0.0.0/16 capture.pcap flow.log.gz
      the same, where the VPC resolver and router are known
  flowtruth diff --json monday.log tuesday.log | jq .causes
      two flow logs
  flowtruth diff --junit --reference a.pcap --reference b.pcap --candidate flow.log
      several captures as one, for a pipeline
Exit status:
  0  no difference, or every difference is explained
  1  there are differences that nothing explains
  2  trouble, whatever was found";

#[derive(Args, Debug)]
#[command(after_help = DIFF_EXAMPLES)]
pub struct DiffArgs {
    /// The reference, then the candidate: captures or flow logs, `-` for standard input
    #[arg(value_name = "REFERENCE CANDIDATE", num_args = 0..=2, value_hint = ValueHint::AnyPath)]
    pub sides: Vec<PathBuf>,

    /// A capture or flow log of the reference; repeatable
    #[arg(long = "reference", value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub references: Vec<PathBuf>,

    /// A capture or flow log of the candidate; repeatable
    #[arg(long = "candidate", value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub candidates: Vec<PathBuf>,

    #[command(flatten)]
    pub logs: LogArgs,

    #[command(flatten)]
    pub comparing: ComparingArgs,

    #[command(flatten)]
    pub showing: ShowingArgs,

    #[command(flatten)]
    pub running: RunningArgs,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Reading")]
pub struct LogArgs {
    /// The fields of flow logs without a header, in AWS's syntax (`'${srcaddr} ${bytes}'`) or a ready format
    #[arg(long, value_name = "FORMAT")]
    pub input_format: Option<String>,

    /// The same for the reference alone
    #[arg(long, value_name = "FORMAT")]
    pub reference_format: Option<String>,

    /// The same for the candidate alone
    #[arg(long, value_name = "FORMAT")]
    pub candidate_format: Option<String>,

    /// Leave out lines of a log that cannot be read, instead of ending with status 2
    #[arg(long)]
    pub skip_bad_lines: bool,

    /// Look inside these tunnels of a capture: `vxlan`, `geneve`, `gre`, or `all`
    #[arg(long, value_name = "TUNNEL,…")]
    pub decap: Option<Tunnels>,

    /// Only packets of a capture that match, in tcpdump's words
    #[arg(long, value_name = "EXPRESSION")]
    pub filter: Option<Filter>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Comparing")]
pub struct ComparingArgs {
    /// How far packets may be apart: a number, or a percentage of the reference's
    #[arg(long, value_name = "N|N%", default_value = "0")]
    pub packets_delta: Delta,

    /// How far bytes may be apart
    #[arg(long, value_name = "N|N%", default_value = "0")]
    pub bytes_delta: Delta,

    /// How many seconds `start` may be off; a percentage is of the record's duration
    #[arg(long, value_name = "SECONDS|N%", default_value = "1")]
    pub start_delta: Delta,

    /// How many seconds `end` may be off
    #[arg(long, value_name = "SECONDS|N%", default_value = "1")]
    pub end_delta: Delta,

    /// A range of the VPC, which tells where its resolver (base + 2) and router (base + 1) are; repeatable
    #[arg(long = "vpc-cidr", value_name = "CIDR")]
    pub vpc_cidrs: Vec<VpcCidr>,

    /// The VPC, as `convert` takes it, in place of `--vpc-cidr`: it tells what is never logged, which rule refuses a flow,
    /// which flows are logged at both ends, and which addresses are translated; repeatable
    #[arg(long = "vpc", value_name = "PATH", value_hint = ValueHint::AnyPath, conflicts_with = "vpc_cidrs")]
    pub vpc: Vec<PathBuf>,

    /// The log has only records of this interface; repeatable [default: those that the log names]
    #[arg(long, value_name = "ID", requires = "vpc")]
    pub only_interface: Vec<String>,

    /// The log has only records of this action [default: what `describe-flow-logs` says, or the only action that the
    /// log has]
    #[arg(long, value_name = "ALL|ACCEPT|REJECT", requires = "vpc")]
    pub traffic_type: Option<TrafficType>,

    /// Exit with status 1 for any difference, explained or not
    #[arg(long)]
    pub strict: bool,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Showing")]
pub struct ShowingArgs {
    /// Write the whole outcome as JSON
    #[arg(long, group = "form")]
    pub json: bool,

    /// Write a line of JSON for each difference, and one for the rest
    #[arg(long, group = "form")]
    pub ndjson: bool,

    /// Write JUnit XML: a test case for each cause, a failure for each that is not explained
    #[arg(long, group = "form")]
    pub junit: bool,

    /// Differences to show for people at most; JSON always has them all
    #[arg(long, value_name = "N", default_value = "20")]
    pub limit: usize,

    /// Write the outcome to this file instead of to standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,

    /// Write the packets behind the differences to this file, as a capture
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub write_packets: Option<PathBuf>,

    /// Say nothing on standard error but warnings and errors
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Running")]
pub struct RunningArgs {
    /// Memory to use at most, such as `512MB`, `2GiB` or plain bytes; a log whose records do not fit half of it is
    /// worked on in shares of its flows, for each of which everything is read again [default: half of what the
    /// machine or its cgroup allows]
    #[arg(long, value_name = "SIZE", value_parser = crate::cli::memory::parse_size)]
    pub memory_limit: Option<u64>,

    /// Threads to use: with 1 everything runs on one, with more what is counted has its own [default: the available
    /// cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<std::num::NonZeroUsize>,
}
