//! Writing on a thread of its own: the kernel's part of writing takes as long as making the lines.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

/// How many pieces may wait to be written.
const QUEUE: usize = 8;

/// What the writing thread is to do.
enum Order {
    Write(Vec<u8>),
    Flush,
}

/// The end that is written to. An error of the output comes back as a broken pipe at a later write; the error itself
/// is what [`BackgroundWriter::run`] returns.
pub(super) struct Background {
    orders: SyncSender<Order>,
    empty: Receiver<Vec<u8>>,
}

/// The end that writes.
pub(super) struct BackgroundWriter {
    orders: Receiver<Order>,
    empty: SyncSender<Vec<u8>>,
}

/// The two ends.
pub(super) fn background() -> (Background, BackgroundWriter) {
    let (orders, received) = sync_channel(QUEUE);
    let (empty, recycled) = sync_channel(QUEUE);
    (Background { orders, empty: recycled }, BackgroundWriter { orders: received, empty })
}

impl Background {
    fn send(&self, order: Order) -> io::Result<()> {
        self.orders.send(order).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for Background {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut piece = match self.empty.try_recv() {
            Ok(piece) => piece,
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => Vec::with_capacity(bytes.len()),
        };
        piece.extend_from_slice(bytes);
        self.send(Order::Write(piece))?;
        Ok(bytes.len())
    }

    /// Has everything before it flushed soon.
    fn flush(&mut self) -> io::Result<()> {
        self.send(Order::Flush)
    }
}

impl BackgroundWriter {
    /// Writes until the other end is dropped.
    ///
    /// # Errors
    /// The output's first.
    pub(super) fn run(self, mut output: impl Write) -> io::Result<()> {
        for order in self.orders {
            match order {
                Order::Write(mut piece) => {
                    output.write_all(&piece)?;
                    piece.clear();
                    // there are enough already where it does not fit
                    let _ = self.empty.try_send(piece);
                }
                Order::Flush => output.flush()?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Takes so many bytes, then fails.
    struct Full(usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn everything_is_written_in_order() {
        let (mut end, writer) = background();
        let mut written = Vec::new();
        let expected: Vec<u8> = (0..100_u8).flat_map(|n| vec![n; usize::from(n)]).collect();
        thread::scope(|scope| {
            scope.spawn(|| writer.run(&mut written).unwrap());
            for n in 0..100_u8 {
                end.write_all(&vec![n; usize::from(n)]).unwrap();
                end.flush().unwrap();
            }
            drop(end);
        });
        assert!(written == expected);
    }

    #[test]
    fn the_outputs_error_is_returned_and_writing_stops() {
        let (mut end, writer) = background();
        thread::scope(|scope| {
            let running = scope.spawn(|| writer.run(Full(100)));
            let error = (0..1000).find_map(|_| end.write_all(&[0; 10]).err()).unwrap();
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
            drop(end);
            assert_eq!(running.join().unwrap().unwrap_err().kind(), io::ErrorKind::StorageFull);
        });
    }
}
