//! `completions` and `man`: made from the command line's own description.

use std::io::{self, Write};

use clap::CommandFactory;

use super::args::{Cli, CompletionsArgs, ManArgs};
use super::messages::{Trouble, cannot_write};
use super::{Exit, Result};

/// Prints a completion script.
pub fn completions(args: &CompletionsArgs) -> Result {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "flowtruth", &mut script);
    io::stdout().write_all(&script).map_err(|error| cannot_write("standard output", error))?;
    Ok(Exit::Fine)
}

/// Prints the main manual page, or writes all of them into a directory.
pub fn man(args: ManArgs) -> Result {
    let command = Cli::command();
    match args.output {
        Some(directory) => clap_mangen::generate_to(command, &directory).map_err(|error| {
            Trouble::new(format!("cannot write manual pages into `{}`", directory.display())).caused_by(error)
        })?,
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command)
                .render(&mut page)
                .and_then(|()| io::stdout().write_all(&page))
                .map_err(|error| cannot_write("standard output", error))?;
        }
    }
    Ok(Exit::Fine)
}
