//! The flowtruth command line: parse, run, exit status.

use std::process::ExitCode;

mod cli;

fn main() -> ExitCode {
    cli::run()
}
