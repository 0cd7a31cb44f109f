//! Reading what somebody may still be writing: a read that waits can be broken off.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

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
    Box::new(Interruptible { file, progress: Arc::clone(progress) })
}

/// A reader that ends when the run is interrupted.
#[cfg(unix)]
struct Interruptible {
    file: File,
    progress: Arc<Progress>,
}

#[cfg(unix)]
impl Read for Interruptible {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};

        /// How often an interruption is looked for.
        const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

        loop {
            if self.progress.is_interrupted() {
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
