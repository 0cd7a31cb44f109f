//! `generate --list`: the ready scenarios.

use std::io::{self, Write};

use flowtruth::generate::READY;
use flowtruth::pipeline::read_scenario;
use serde::Serialize;

use crate::cli::messages::{Trouble, cannot_write};
use crate::cli::{Exit, Result, table};

/// What is said of a ready scenario.
#[derive(Serialize)]
struct Listed {
    name: &'static str,
    title: String,
    verdict: String,
    causes: Vec<String>,
}

pub fn run(json: bool) -> Result {
    let mut all = Vec::new();
    for ready in READY {
        let read = read_scenario(ready.name, ready.name, ready.text)
            .map_err(|error| Trouble::new("a ready scenario is broken").caused_by(error))?;
        let expected = read.scenario.expected;
        all.push(Listed {
            name: ready.name,
            title: read.scenario.title,
            verdict: expected.verdict,
            causes: expected.causes,
        });
    }
    let text = if json {
        let mut text = serde_json::to_string_pretty(&all).unwrap_or_default();
        text.push('\n');
        text
    } else {
        let mut rows = table::plain();
        rows.set_header(["SCENARIO", "DIFF SAYS", "WHAT IT SHOWS"]);
        for one in &all {
            let causes = one.causes.join(", ");
            let says = if causes.is_empty() { one.verdict.clone() } else { causes };
            rows.add_row([one.name, &says, &one.title]);
        }
        table::text(&rows)
    };
    let mut output = anstream::stdout();
    output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
        .map_err(|error: io::Error| cannot_write("standard output", error))?;
    Ok(Exit::Fine)
}
