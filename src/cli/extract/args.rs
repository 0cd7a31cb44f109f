//! What can be typed behind `extract`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueHint};
use flowtruth::decode::Tunnels;
use flowtruth::filter::Filter;
use flowtruth::packet::Timestamp;

use crate::cli::args::FragmentsArg;

const EXAMPLES: &str = "\
Examples:
  flowtruth extract capture.pcap --flow '10.0.0.1:443->10.0.0.2:5000/tcp' -o flow.pcap
      one direction of a connection; a port or the protocol that is left out, and `*`, are any
  flowtruth extract capture.pcap --flow '[2001:db8::1]->*/icmpv6' --both-directions -o ping.pcap
      IPv6 addresses stand in brackets
  flowtruth extract captures/ --log flow.log.gz --line 42 -o packets.pcapng
      the packets behind a line of a flow log
  flowtruth extract a.pcap --record \"$(tail -n 1 flow.log)\" | tcpdump -n -r -
      the packets behind a record, looked at";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("wanted").required(true).args(["flow", "record", "log"]))]
pub struct ExtractArgs {
    /// Captures (pcap, pcapng; also compressed with gzip, zstd, xz, bzip2 or lz4), directories of captures, or `-` for
    /// standard input; read in time order as one capture
    #[arg(value_name = "CAPTURE", required = true, value_hint = ValueHint::AnyPath)]
    pub captures: Vec<PathBuf>,

    /// The flow: `SRC:PORT->DST:PORT/PROTOCOL`, `PROTOCOL SRC:PORT > DST:PORT`, or a record's five values `SRCADDR
    /// DSTADDR SRCPORT DSTPORT PROTOCOL`
    #[arg(long, value_name = "FLOW", help_heading = "Which packets")]
    pub flow: Option<String>,

    /// A line of a flow log: the packets of its flow from its `start` to its `end`
    #[arg(long, value_name = "LINE", help_heading = "Which packets")]
    pub record: Option<String>,

    /// A flow log (text or JSON of CloudWatch Logs; also gzip), or `-` for standard input; `--line` says which record
    #[arg(long, value_name = "FILE", requires = "line", value_hint = ValueHint::FilePath)]
    #[arg(help_heading = "Which packets")]
    pub log: Option<PathBuf>,

    /// The record's line in the log, the header counted; in JSON, the event
    #[arg(long, value_name = "N", requires = "log", value_parser = clap::value_parser!(u64).range(1..))]
    #[arg(help_heading = "Which packets")]
    pub line: Option<u64>,

    /// Fields of the record where no header names them, in AWS's syntax (`'${srcaddr} ${bytes}'`), or a ready format:
    /// `v2`, `v3`, `v4`, `v5`, `all` [default: v2]
    #[arg(long, value_name = "FORMAT", conflicts_with = "flow", help_heading = "Which packets")]
    pub input_format: Option<String>,

    /// The other direction too
    #[arg(long, help_heading = "Which packets")]
    pub both_directions: bool,

    /// Look inside these tunnels instead of at the outer packets: `vxlan`, `geneve`, `gre`, or `all`; the packets are
    /// written with their tunnels
    #[arg(long, value_name = "TUNNEL,…", help_heading = "Reading")]
    pub decap: Option<Tunnels>,

    /// Ports of fragments other than the first: `0 0`, or those of the first fragment
    #[arg(long, value_name = "zero|track", default_value = "zero", help_heading = "Reading")]
    pub fragments: FragmentsArg,

    /// Only packets that match, in tcpdump's words: host, net, port, portrange, proto, src, dst, tcp, udp, …
    #[arg(long, value_name = "EXPRESSION", help_heading = "Reading")]
    pub filter: Option<Filter>,

    /// Only packets at or after this time (Unix seconds, RFC 3339, or a date)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, help_heading = "Reading")]
    pub from: Option<Timestamp>,

    /// Only packets before this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, help_heading = "Reading")]
    pub until: Option<Timestamp>,

    /// Stop after so many packets that are written
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    #[arg(help_heading = "Reading")]
    pub count: Option<u64>,

    /// Write the packets to this file once they are complete, instead of to standard output: pcap where all captures
    /// are pcaps of one link type, else or with `.pcapng` pcapng (`.gz`: gzip)
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Running")]
    pub output: Option<PathBuf>,

    /// Say nothing on standard error but warnings and errors
    #[arg(short, long, help_heading = "Running")]
    pub quiet: bool,
}
