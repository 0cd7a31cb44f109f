//! What can be typed behind `quiz`.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueHint};
use flowtruth::quiz::Subject;

use crate::cli::explain::args::ExplainedRecordArgs;
use crate::cli::mask::MaskArgs;

const EXAMPLES: &str = "\
Examples:
  flowtruth quiz capture.pcap
      ten questions on the terminal, one after the other
  flowtruth quiz capture.pcap --seed 7 --print > sheet.txt
  flowtruth quiz capture.pcap --seed 7 --answer-key > key.txt
      a sheet for a class, and its key
  flowtruth quiz capture.pcap --json --answers
      the same for a page or a learning platform";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct QuizArgs {
    /// A capture, or `-` for standard input
    #[arg(value_name = "CAPTURE", value_hint = ValueHint::FilePath)]
    pub capture: PathBuf,

    /// How many questions at most
    #[arg(long, value_name = "N", default_value = "10", value_parser = clap::value_parser!(u16).range(1..))]
    pub questions: u16,

    /// Which questions: the same number and capture give the same ones everywhere
    #[arg(long, value_name = "N", default_value = "1")]
    pub seed: u64,

    /// About these subjects alone
    #[arg(long, value_name = "SUBJECT,…", value_delimiter = ',', value_parser = subjects())]
    pub about: Vec<Subject>,

    /// Print the questions, also on a terminal
    #[arg(long, group = "form")]
    pub print: bool,

    /// Ask them, also where answers do not come from a terminal
    #[arg(long, group = "form")]
    pub ask: bool,

    /// Print nothing but which choices are right
    #[arg(long, group = "form")]
    pub answer_key: bool,

    /// Write JSON
    #[arg(long, group = "form")]
    pub json: bool,

    /// With the answers, and why
    #[arg(long, conflicts_with_all = ["ask", "answer_key"])]
    pub answers: bool,

    #[command(flatten)]
    pub mask: MaskArgs,

    #[command(flatten)]
    pub records: ExplainedRecordArgs,
}

/// Reads a subject by its name.
fn subjects() -> impl TypedValueParser<Value = Subject> {
    let names = PossibleValuesParser::new(Subject::ALL.map(Subject::name));
    // clap has let none but these through
    names.map(|name| Subject::from_name(&name).unwrap_or(Subject::WhichRecord))
}
