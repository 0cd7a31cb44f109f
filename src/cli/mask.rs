//! `--anonymize`: names and addresses masked in what is shown.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use flowtruth::mask::{Mask, MaskKey};

use super::messages::{Trouble, hint};

/// Whether and by which key.
#[derive(Args, Debug)]
#[command(next_help_heading = "Anonymity")]
pub struct MaskArgs {
    /// Mask names and addresses in what is shown, by a key of this run alone
    #[arg(long)]
    pub anonymize: bool,

    /// Mask them by the key in this file, 64 hexadecimal digits: the same way every time
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub anonymize_key_file: Option<PathBuf>,
}

/// How a key is made.
const MAKE_KEY: &str = "make a key with `openssl rand -hex 32 > FILE`, and keep it to yourself";

/// More than this is no key.
const LONGEST: u64 = 4096;

impl MaskArgs {
    /// The mask that is asked for. A key of this run is never shown: who has it can undo the mask.
    pub fn mask(&self) -> Result<Option<Mask>, Trouble> {
        let key = match &self.anonymize_key_file {
            Some(path) => read_key(path)?,
            None if self.anonymize => {
                let key = random_key()?;
                hint(
                    "masked by a key of this run alone; `--anonymize-key-file` masks the same way every time",
                );
                key
            }
            None => return Ok(None),
        };
        Ok(Some(Mask::new(&key)))
    }
}

fn read_key(path: &Path) -> Result<MaskKey, Trouble> {
    let shown = path.display();
    let read = || {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut std::io::Read::take(fs::File::open(path)?, LONGEST), &mut text)?;
        std::io::Result::Ok(text)
    };
    let text = read().map_err(|error| {
        Trouble::new(format!("the key in `{shown}` cannot be read")).caused_by(error).with_hint(MAKE_KEY)
    })?;
    text.parse().map_err(|error| {
        Trouble::new(format!("`{shown}` cannot be used as a key")).caused_by(error).with_hint(MAKE_KEY)
    })
}

fn random_key() -> Result<MaskKey, Trouble> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| Trouble::new("the system gives no random bytes for a key").caused_by(error))?;
    // equal halves come once in 2^128 runs
    MaskKey::new(bytes).map_err(|error| Trouble::new("no key can be made").caused_by(error))
}
