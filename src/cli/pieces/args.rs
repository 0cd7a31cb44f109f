//! What can be typed about pieces of a capture.

use std::ops::Range;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueHint};

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Pieces")]
pub struct PieceArgs {
    /// Only packets whose records begin in this part of the file, in bytes; without END, up to its end. Ranges that share
    /// an end have every packet once. For one pcap file that is not compressed
    #[arg(long, value_name = "START-END")]
    pub byte_range: Option<ByteRange>,
}

/// A part of a file, in bytes from its start, END not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    start: u64,
    end: u64,
}

impl ByteRange {
    pub fn range(self) -> Range<u64> {
        self.start..self.end
    }
}

impl FromStr for ByteRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected two places in bytes, such as `0-1073741824`";
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| digits).ok_or_else(|| EXPECTED.to_owned())
        };
        let (start, end) = text.split_once('-').ok_or_else(|| EXPECTED.to_owned())?;
        let start = number(start)?;
        let end = if end.is_empty() { u64::MAX } else { number(end)? };
        if end < start {
            return Err(format!("it ends at {end}, before its start"));
        }
        Ok(ByteRange { start, end })
    }
}

const EXAMPLES: &str = "\
Examples:
  flowtruth split-points -n 4 big.pcap
      where to cut a capture for four workers
  flowtruth split-points -n 4 big.pcap |
      xargs -P4 -I{} flowtruth convert -q --partials --byte-range {} -o parts/{}.parquet big.pcap
  flowtruth merge -o flow.log parts/
      the four pieces counted at once, and their flow log";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct SplitPointsArgs {
    /// A pcap file that is not compressed
    #[arg(value_name = "CAPTURE", value_hint = ValueHint::FilePath)]
    pub capture: PathBuf,

    /// How many pieces to make; fewer come of it where records are longer than a piece
    #[arg(short = 'n', long = "pieces", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub pieces: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_two_places() {
        let range = |text: &str| text.parse::<ByteRange>().map(ByteRange::range);
        assert_eq!(range("24-1000"), Ok(24..1000));
        assert_eq!(range("0-0"), Ok(0..0));
        assert_eq!(range("7-"), Ok(7..u64::MAX));
        assert_eq!(range("9-7"), Err("it ends at 7, before its start".to_owned()));
        for wrong in ["", "7", "-7", "a-b", "1-2-3", "+1-2", "1- 2", "0x10-0x20", "99999999999999999999-"] {
            assert_eq!(
                range(wrong),
                Err("expected two places in bytes, such as `0-1073741824`".to_owned()),
                "{wrong}"
            );
        }
    }
}
