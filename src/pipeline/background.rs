//! Writing on a thread of its own: the kernel's part of writing takes as long as making the lines. While it has nothing
//! to write, it makes lines too.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

use super::emit::{Lines, Output};
use crate::meter::Flow;

/// How many pieces may wait to be written.
const QUEUE: usize = 8;

/// What the writing thread is to do.
enum Order {
    Write(Vec<u8>),
    /// Flows that are to be made into lines first.
    Make(Vec<Flow>),
    Flush,
}

/// The end that is written to. An error of the output comes back as a broken pipe at a later write; the error itself
/// is what [`BackgroundWriter::run`] returns.
pub(super) struct Background {
    orders: SyncSender<Order>,
    empty: Receiver<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
}

/// The end that writes.
pub(super) struct BackgroundWriter {
    orders: Receiver<Order>,
    empty: SyncSender<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
}

/// The two ends.
pub(super) fn background() -> (Background, BackgroundWriter) {
    let (orders, received) = sync_channel(QUEUE);
    let (empty, recycled) = sync_channel(QUEUE);
    let waiting = Arc::new(AtomicUsize::new(0));
    let writer = BackgroundWriter { orders: received, empty, waiting: Arc::clone(&waiting) };
    (Background { orders, empty: recycled, waiting }, writer)
}

impl Background {
    fn send(&self, order: Order) -> io::Result<()> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.orders.send(order).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Output for Background {
    fn makes_lines(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) < 2
    }

    fn make(&mut self, flows: &[Flow]) -> io::Result<()> {
        self.send(Order::Make(flows.to_vec()))
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
    pub(super) fn run(self, mut lines: Lines, mut output: impl Write) -> io::Result<()> {
        let mut made = Vec::new();
        for order in self.orders {
            match order {
                Order::Make(flows) => {
                    lines.make(&flows, &mut made);
                    output.write_all(&made)?;
                    made.clear();
                }
                Order::Write(mut piece) => {
                    output.write_all(&piece)?;
                    piece.clear();
                    // there are enough already where it does not fit
                    let _ = self.empty.try_send(piece);
                }
                Order::Flush => output.flush()?,
            }
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::flow::{FlowCounters, FlowKey, MeteringKey};
    use crate::packet::Protocol;
    use crate::pipeline::RecordOptions;
    use crate::record::FlowRecord;

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

    fn lines() -> Lines {
        let identity = FlowRecord::default();
        Lines::new(&RecordOptions {
            format: "${srcport} ${packets}".parse().unwrap(),
            header: false,
            identity,
        })
    }

    #[test]
    fn everything_is_written_in_order_whoever_makes_the_lines() {
        let flow = |srcport: u16| {
            let address = "192.0.2.1".parse().unwrap();
            let protocol = Protocol::UDP;
            let key = FlowKey { srcaddr: address, dstaddr: address, protocol, srcport, dstport: 53 };
            let counters = FlowCounters { packets: 7, ..FlowCounters::EMPTY };
            Flow { key: MeteringKey::from(key), counters }
        };
        let (mut end, writer) = background();
        let mut written = Vec::new();
        let mut expected = String::new();
        thread::scope(|scope| {
            scope.spawn(|| writer.run(lines(), &mut written).unwrap());
            for n in 0..100_u16 {
                let text = format!("{n}\n").repeat(usize::from(n));
                end.write_all(text.as_bytes()).unwrap();
                let flows: Vec<Flow> = (0..n).map(flow).collect();
                end.make(&flows).unwrap();
                end.flush().unwrap();
                expected += &text;
                (0..n).for_each(|srcport| expected += &format!("{srcport} 7\n"));
            }
            drop(end);
        });
        assert!(String::from_utf8(written).unwrap() == expected);
    }

    #[test]
    fn the_outputs_error_is_returned_and_writing_stops() {
        let (mut end, writer) = background();
        thread::scope(|scope| {
            let running = scope.spawn(|| writer.run(lines(), Full(100)));
            let error = (0..1000).find_map(|_| end.write_all(&[0; 10]).err()).unwrap();
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
            drop(end);
            assert_eq!(running.join().unwrap().unwrap_err().kind(), io::ErrorKind::StorageFull);
        });
    }
}
