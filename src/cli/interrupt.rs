//! Ctrl-C: the first asks the run to stop in good order, the second ends the process at once.

use std::path::PathBuf;
use std::process;
use std::sync::{Arc, Mutex, PoisonError};

use flowtruth::pipeline::Progress;

use super::messages::warning;
use super::output::Output;

/// The files to remove if the process has to end at once.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<Mutex<Vec<PathBuf>>>);

impl Interrupt {
    /// Lets Ctrl-C (and a polite `kill`) stop the run. To be called before anything is made that would be left behind.
    pub fn watch(progress: &Arc<Progress>) -> Interrupt {
        let interrupt = Interrupt::default();
        let (progress, temporaries) = (Arc::clone(progress), interrupt.clone());
        let watching = ctrlc::set_handler(move || {
            if progress.is_interrupted() {
                for path in temporaries.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                    // it may never have been made
                    let _ = std::fs::remove_file(path);
                }
                process::exit(130);
            }
            progress.interrupt();
        });
        if let Err(error) = watching {
            warning(format_args!("Ctrl-C will leave a temporary file behind: {error}"));
        }
        interrupt
    }

    /// Has an output's temporary file removed too.
    pub fn removes(&self, output: &Output) {
        let mut temporaries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        temporaries.extend(output.temporary());
    }
}
