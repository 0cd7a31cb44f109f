//! Writes synthetic captures to measure with: the same options give the same bytes on every machine.
//!
//! `cargo run --release --example generate-traffic -- small -o small.pcap` writes the capture and prints what it
//! holds (packets, IP bytes, flows) as JSON on standard error, so that a ledger can be held against it.
#![allow(clippy::print_stderr, reason = "the totals are for whoever runs it")]

mod generator;

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use generator::{Kind, Plan};

/// Writes a synthetic capture and prints its totals on standard error.
#[derive(Parser)]
struct Args {
    /// What traffic: `small` frames of 64 bytes, a realistic `mix`, or a `synflood` with a flow for each packet.
    kind: Kind,
    /// How many packets (`small` 10,000,000, `mix` 1,700,000, `synflood` 5,000,000).
    #[arg(long)]
    packets: Option<u64>,
    /// How many flows, both directions counted (`small` 100,000, `mix` 72,000, `synflood` one for each packet).
    #[arg(long)]
    flows: Option<u32>,
    /// How many seconds of traffic (`small` and `mix` 300, `synflood` 60).
    #[arg(long)]
    seconds: Option<u64>,
    /// Another seed gives other traffic of the same kind.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Writes pcapng instead of pcap.
    #[arg(long)]
    pcapng: bool,
    /// The capture to write, `-` for standard output.
    #[arg(short, long)]
    output: PathBuf,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let mut plan = Plan::new(args.kind);
    plan.packets = args.packets.unwrap_or(plan.packets);
    plan.flows = args.flows.unwrap_or(plan.flows);
    plan.seconds = args.seconds.unwrap_or(plan.seconds);
    plan.seed = args.seed;
    plan.pcapng = args.pcapng;
    match write(&plan, &args.output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("generate-traffic: {}: {error}", args.output.display());
            ExitCode::FAILURE
        }
    }
}

fn write(plan: &Plan, path: &std::path::Path) -> io::Result<()> {
    let output: Box<dyn Write> = match path.to_str() {
        Some("-") => Box::new(io::stdout()),
        _ => Box::new(File::create(path)?),
    };
    let totals = generator::generate(plan, output)?;
    eprintln!("{}", serde_json::to_string(&totals)?);
    Ok(())
}
