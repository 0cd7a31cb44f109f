//! Ctrl-C: the first asks the run to stop in good order, the second ends the process at once.

use std::path::PathBuf;
use std::process;
use std::sync::Arc;

use flowtruth::pipeline::Progress;

use super::messages::warning;

/// Lets Ctrl-C (and a polite `kill`) stop the run. `temporary` is removed if the process has to end at once.
pub fn watch(progress: &Arc<Progress>, temporary: Vec<PathBuf>) {
    let progress = Arc::clone(progress);
    let watching = ctrlc::set_handler(move || {
        if progress.is_interrupted() {
            for path in &temporary {
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
}
