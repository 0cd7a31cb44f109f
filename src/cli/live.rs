//! Reading what somebody may still be writing: a read that waits can be broken off.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
#[cfg(unix)]
use std::time::{Duration, Instant};

use flowtruth::pipeline::Progress;

/// Standard input, without the buffer that the standard library puts in front of it.
pub fn standard_input(progress: &Arc<Progress>) -> Box<dyn Read + Send> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        if let Ok(input) = io::stdin().as_fd().try_clone_to_owned() {
            return interruptible(File::from(input), progress);
        }
    }
    Box::new(io::stdin())
}

/// A FIFO or a device.
///
/// # Errors
/// It cannot be opened.
pub fn open(path: &Path, progress: &Arc<Progress>) -> io::Result<Box<dyn Read + Send>> {
    File::open(path).map(|file| interruptible(file, progress))
}

#[cfg(not(unix))]
fn interruptible(file: File, _: &Arc<Progress>) -> Box<dyn Read + Send> {
    Box::new(file)
}

#[cfg(unix)]
fn interruptible(file: File, progress: &Arc<Progress>) -> Box<dyn Read + Send> {
    Box::new(Interruptible { file, progress: Arc::clone(progress), interrupted: None })
}

/// A reader that ends soon after the run is interrupted: who writes the capture is often interrupted too, and has its
/// last packets still to write.
#[cfg(unix)]
struct Interruptible {
    file: File,
    progress: Arc<Progress>,
    /// When the interruption was first noticed.
    interrupted: Option<Instant>,
}

#[cfg(unix)]
impl Read for Interruptible {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};

        /// How often an interruption is looked for.
        const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
        /// How long it is read on after an interruption.
        const GRACE: Duration = Duration::from_secs(1);

        loop {
            if self.progress.is_interrupted()
                && self.interrupted.get_or_insert_with(Instant::now).elapsed() >= GRACE
            {
                return Ok(0);
            }
            let mut waiting = [PollFd::new(&self.file, PollFlags::IN)];
            match poll(&mut waiting, Some(&TICK)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                // an error of poll is left to the read to report
                Ok(_) | Err(_) => return self.file.read(target),
            }
        }
    }
}
