//! What can be typed about partial records.

use clap::Args;
use flowtruth::partial::PartialKeys;

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Partial records")]
pub struct PartialsArgs {
    /// Write rows that `flowtruth merge` makes records of, together with those of other captures: Parquet, or an Arrow IPC
    /// stream where `-o` ends with `.arrow` or is standard output
    #[arg(long)]
    pub partials: bool,

    /// What rows are told apart by beside the record's key: `icmp` (type and code), `observation-point` (the capture and
    /// its interface)
    #[arg(long, value_name = "KEY,…", requires = "partials")]
    pub partial_keys: Option<PartialKeys>,
}
