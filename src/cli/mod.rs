//! The command line: what was typed ([`args`]) → what it means (settings) → one file a verb.
//!
//! Data goes to standard output, everything else to standard error. Exit status: 0 fine, 1 differences or faults found, 2 trouble,
//! 130 interrupted. A reader that closes the pipe is no error.

use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches};

mod args;
mod convert;
mod delivery;
mod diff;
mod explain;
mod extract;
mod fields;
mod generate;
mod identity;
mod inputs;
mod inspect;
mod interrupt;
mod kit;
mod lint;
mod live;
mod mask;
mod merge;
mod messages;
mod objects;
mod output;
mod partials;
mod pieces;
mod progress;
mod quiz;
mod report;
mod score;
mod settings;
mod shell;
mod summary;
mod table;
mod vpc;

use flowtruth::pipeline::{kind, memory};

use args::{Cli, Command};
use messages::Trouble;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// Everything asked for was done.
    Fine,
    /// The sides of a comparison differ, or something is wrong with a log.
    Differences,
    /// Something could not be read or written; it has been reported.
    Trouble,
    /// Broken off by Ctrl-C.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Fine => 0,
            Exit::Differences => 1,
            Exit::Trouble => 2,
            Exit::Interrupted => 130,
        })
    }
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let matches = Cli::command().get_matches();
    let mut cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.format(&mut Cli::command()).exit(),
    };
    if let Some((_, typed)) = matches.subcommand() {
        note_typed(&mut cli.command, typed);
    }
    cli.color.write_global();
    let result = match cli.command {
        Command::Convert(args) if args.partials.partials => partials::run(*args),
        Command::Convert(args) => convert::run(*args),
        Command::Merge(args) => merge::run(*args),
        Command::SplitPoints(args) => pieces::split_points(&args),
        Command::Diff(args) => diff::run(*args),
        Command::Inspect(args) => inspect::run(args),
        Command::Report(args) => report::run(*args),
        Command::Lint(args) => lint::run(*args),
        Command::Extract(args) => extract::run(*args),
        Command::Generate(args) => generate::run(*args),
        Command::Score(args) => score::run(args),
        Command::Explain(args) => explain::run(&args),
        Command::Quiz(args) => quiz::run(&args),
        Command::ExplainAction(args) => vpc::explain::run(&args),
        Command::Fields(args) => fields::run(args),
        Command::Kit(args) => kit::run(*args),
        Command::Completions(args) => shell::completions(&args),
        Command::Man(args) => shell::man(args),
    };
    match result {
        Ok(exit) => exit.into(),
        // whoever read the output has seen enough
        Err(trouble) if trouble.is_closed_pipe() => Exit::Fine.into(),
        Err(trouble) => {
            trouble.report();
            Exit::Trouble.into()
        }
    }
}

/// Tells those commands that ask which options were typed.
fn note_typed(command: &mut Command, matches: &ArgMatches) {
    let is_typed = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    let typed = match command {
        Command::Convert(args) => {
            let ids = matches.ids().map(|id| id.as_str()).filter(|id| is_typed(id));
            args.typed = ids.map(str::to_owned).collect();
            &mut args.vpc.typed
        }
        Command::Report(args) => &mut args.vpc.typed,
        Command::Merge(args) => {
            args.typed.log_format = is_typed("log_format");
            return;
        }
        _ => return,
    };
    typed.log_format = is_typed("log_format");
    typed.interval = is_typed("max_aggregation_interval");
}

type Result = std::result::Result<Exit, Trouble>;
