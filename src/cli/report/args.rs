//! What can be typed behind `report`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::cli::args::{MeteringArgs, RecordArgs, RunArgs, SelectionArgs};
use crate::cli::mask::MaskArgs;
use crate::cli::vpc::args::VpcArgs;

const EXAMPLES: &str = "\
Examples:
  flowtruth report capture.pcap -o report.html
      packets, the records they became, and every packet accounted for
  flowtruth report capture.pcap flow.log.gz -o report.html
      the same held against a flow log, with the cause of every difference
  flowtruth report --vpc vpc/ --log-format v5 capture.pcap -o report.html
      with the rules that decided each action
  flowtruth report --quiz --anonymize capture.pcap -o report.html
      with questions to answer, names and addresses masked
Exit status:
  0  the page was written, whatever it says
  2  trouble; where something could be read, the page was written all the same";

const OUTPUT: &str = "Write the page to this file (`.gz`: gzip) once it is complete; `-` is standard output, where it also \
                      goes without `-o` unless that is a terminal";

#[derive(Args, Debug)]
// what makes lines of text has no meaning here
#[command(
    after_help = EXAMPLES,
    mut_arg("output", |output| output.value_name("FILE").help(OUTPUT)),
    mut_arg("header", |header| header.hide(true)),
    mut_arg("why", |why| why.hide(true)),
)]
pub struct ReportArgs {
    /// Captures as `convert` takes them, or `-` for standard input, read in time order as one; and, if there are any, flow
    /// logs that they are held against
    #[arg(value_name = "CAPTURE|LOG", required = true, value_hint = ValueHint::AnyPath)]
    pub files: Vec<PathBuf>,

    /// The fields of flow logs that have no header line, as `--log-format` takes them
    #[arg(long, value_name = "FORMAT")]
    pub input_format: Option<String>,

    /// Put the payload of the packets that are shown into the page too, up to 256 bytes of each
    #[arg(long)]
    pub with_payload: bool,

    /// Put questions about the capture into the page, with their answers
    #[arg(long)]
    pub quiz: bool,

    /// How many questions at most
    #[arg(long, value_name = "N", default_value = "10", requires = "quiz", value_parser = clap::value_parser!(u16).range(1..=200))]
    pub questions: u16,

    /// Which questions: the same number and capture give the same ones, as `quiz` does
    #[arg(long, value_name = "N", default_value = "1", requires = "quiz")]
    pub seed: u64,

    #[command(flatten)]
    pub metering: MeteringArgs,

    #[command(flatten)]
    pub selection: SelectionArgs,

    #[command(flatten)]
    pub records: RecordArgs,

    #[command(flatten)]
    pub vpc: VpcArgs,

    #[command(flatten)]
    pub mask: MaskArgs,

    #[command(flatten)]
    pub run: RunArgs,
}
