//! The progress bar: on a terminal only.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use flowtruth::pipeline::Progress;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};

/// How often the bar is drawn anew.
const TICK: Duration = Duration::from_millis(100);

/// A bar on standard error that follows a run until it is dropped.
pub struct Bar {
    stop: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Bar {
    /// Follows a run over `total` bytes of input, if that is known. Nothing is drawn unless standard error is a
    /// terminal and standard output does not write to it too.
    pub fn follow(progress: &Arc<Progress>, total: Option<u64>, writes_to_terminal: bool) -> Self {
        if writes_to_terminal || !std::io::stderr().is_terminal() {
            return Bar { stop: None };
        }
        let progress = Arc::clone(progress);
        let (stop, stopped) = channel();
        let drawing = thread::spawn(move || {
            let bar = bar(total);
            bar.set_message("0 packets");
            let start = Instant::now();
            while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                let packets = progress.packets();
                let rate = (packets as f64 / start.elapsed().as_secs_f64().max(1e-3)) as u64;
                bar.set_position(progress.bytes());
                bar.set_message(format!("{} packets, {}/s", HumanCount(packets), HumanCount(rate)));
            }
            bar.finish_and_clear();
        });
        Bar { stop: Some((stop, drawing)) }
    }
}

fn bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "{bar:10} {bytes}/{total_bytes}, {msg}, {eta} left"),
        None => (ProgressBar::new_spinner(), "{spinner} {bytes}, {msg}"),
    };
    // the templates are constants; an unknown word in them would only cost the styling
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some((stop, drawing)) = self.stop.take() {
            drop(stop);
            // a bar that failed to draw takes nothing else with it
            let _ = drawing.join();
        }
    }
}
