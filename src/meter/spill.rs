//! Flows that do not fit the memory: sorted runs in one temporary file, merged when their window closes.
//!
//! A run holds the flows of one address family of one window in ascending order of their packed keys, as rows of
//! equal length: the key's bytes, then the counters, all little-endian. The file has no name (it is unlinked where
//! the system can), so that nothing is left behind however the process ends.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::marker::PhantomData;

use super::flow_table::{FlowTable, Sorted};
use super::packed::{PackedKey, take};
use super::table::GROUP;
use crate::flow::FlowCounters;
use crate::packet::{TcpFlags, Timestamp};

/// How many bytes are written at once.
const WRITE_BUFFER: usize = 1 << 20;

/// How many bytes the readers of all runs of a window hold together, at most and if there are few enough runs.
const READ_BUFFERS: usize = 4 << 20;

/// The temporary file, made when the first run is written.
#[derive(Debug, Default)]
pub(super) struct SpillFile {
    file: Option<File>,
    length: u64,
}

/// A sorted run in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<K> {
    offset: u64,
    rows: u64,
    key: PhantomData<K>,
}

fn write_counters(counters: &FlowCounters, out: &mut Vec<u8>) {
    out.extend_from_slice(&counters.packets.to_le_bytes());
    out.extend_from_slice(&counters.bytes.to_le_bytes());
    out.extend_from_slice(&counters.first.nanos().to_le_bytes());
    out.extend_from_slice(&counters.last.nanos().to_le_bytes());
    out.extend_from_slice(&[counters.tcp_flags.0, counters.raw_tcp_flags.0]);
}

fn read_row<K: PackedKey>(bytes: &mut &[u8]) -> Option<(K, FlowCounters)> {
    let key = K::read(bytes)?;
    let counters = FlowCounters {
        packets: u64::from_le_bytes(take(bytes)?),
        bytes: u64::from_le_bytes(take(bytes)?),
        first: Timestamp::from_nanos(i64::from_le_bytes(take(bytes)?)),
        last: Timestamp::from_nanos(i64::from_le_bytes(take(bytes)?)),
        tcp_flags: TcpFlags(u8::from_le_bytes(take(bytes)?)),
        raw_tcp_flags: TcpFlags(u8::from_le_bytes(take(bytes)?)),
    };
    Some((key, counters))
}

/// A row's length in bytes.
const fn row_length<K: PackedKey>() -> usize {
    K::LENGTH + 4 * 8 + 2
}

/// A temporary file that cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[error("the flows in the open windows outgrow the memory limit, and `{directory}` cannot hold them")]
pub struct SpillError {
    /// The temporary directory.
    pub directory: String,
    /// What its file system says.
    #[source]
    pub source: io::Error,
}

impl From<io::Error> for SpillError {
    fn from(source: io::Error) -> Self {
        SpillError { directory: std::env::temp_dir().display().to_string(), source }
    }
}

impl SpillFile {
    /// Writes a table's flows as a run.
    ///
    /// # Errors
    /// What the temporary directory's file system says.
    pub(super) fn write<K: PackedKey>(&mut self, table: &FlowTable<K>) -> Result<Run<K>, SpillError> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile()?),
        };
        file.seek(SeekFrom::Start(self.length))?;
        let order = table.sorted();
        let run = Run { offset: self.length, rows: order.len() as u64, key: PhantomData };
        let mut buffer = Vec::with_capacity(WRITE_BUFFER + 128);
        for group in order.chunks(GROUP) {
            // the order jumps about in the table, as when a window is written
            table.touch(group);
            for flow in group {
                let (key, counters) = table.flow(*flow);
                key.write(&mut buffer);
                write_counters(&counters, &mut buffer);
            }
            if buffer.len() >= WRITE_BUFFER {
                file.write_all(&buffer)?;
                self.length += buffer.len() as u64;
                buffer.clear();
            }
        }
        file.write_all(&buffer)?;
        self.length += buffer.len() as u64;
        Ok(run)
    }

    /// Gives the disk space of a window's runs back, where the system can; the rest of the file stays as it is.
    pub(super) fn give_back<K: PackedKey>(&self, runs: &[Run<K>]) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Some(file) = &self.file {
            use rustix::fs::{FallocateFlags, fallocate};
            for run in runs {
                let length = run.rows * row_length::<K>() as u64;
                let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
                // it only costs room where the file system has no holes
                let _ = fallocate(file, hole, run.offset, length);
            }
        }
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let _ = runs;
    }

    /// Forgets all runs, once no window needs any, and gives the disk space back.
    pub(super) fn clear(&mut self) {
        *self = SpillFile::default();
    }

    /// The flows of several runs and a table in ascending order, equal keys merged.
    ///
    /// # Errors
    /// What reading the temporary file says.
    pub(super) fn merge<'a, K: PackedKey>(
        &'a self,
        runs: &[Run<K>],
        table: &'a FlowTable<K>,
    ) -> Result<MergedRuns<'a, K>, SpillError> {
        let rows = (READ_BUFFERS / row_length::<K>() / runs.len().max(1)).max(16);
        let readers = runs.iter().map(|run| RunReader { run: *run, buffer: Vec::new(), at: 0, rows });
        let mut merged = MergedRuns {
            file: self.file.as_ref(),
            readers: readers.collect(),
            table,
            order: table.sorted().into_iter(),
            heap: BinaryHeap::with_capacity(runs.len() + 1),
            heads: vec![FlowCounters::EMPTY; runs.len() + 1],
        };
        for source in 0..=runs.len() {
            merged.advance(source)?;
        }
        Ok(merged)
    }
}

/// A run that is being read.
struct RunReader<K> {
    run: Run<K>,
    buffer: Vec<u8>,
    at: usize,
    rows: usize,
}

impl<K: PackedKey> RunReader<K> {
    fn next(&mut self, file: Option<&File>) -> Result<Option<(K, FlowCounters)>, SpillError> {
        if self.at >= self.buffer.len() {
            let rows = self.run.rows.min(self.rows as u64);
            let (Some(mut file), true) = (file, rows > 0) else { return Ok(None) };
            self.buffer.resize(rows as usize * row_length::<K>(), 0);
            self.at = 0;
            file.seek(SeekFrom::Start(self.run.offset))?;
            file.read_exact(&mut self.buffer)?;
            self.run.offset += self.buffer.len() as u64;
            self.run.rows -= rows;
        }
        let mut rest = self.buffer.get(self.at..).unwrap_or_default();
        let row = read_row(&mut rest);
        self.at = self.buffer.len() - rest.len();
        Ok(row)
    }
}

/// The flows of runs and a table, merged. The last source is the table.
pub(super) struct MergedRuns<'a, K> {
    file: Option<&'a File>,
    readers: Vec<RunReader<K>>,
    table: &'a FlowTable<K>,
    order: std::vec::IntoIter<Sorted>,
    heap: BinaryHeap<Reverse<(K, usize)>>,
    heads: Vec<FlowCounters>,
}

impl<K: PackedKey> MergedRuns<'_, K> {
    /// Brings the next flow of a source into the heap.
    fn advance(&mut self, source: usize) -> Result<(), SpillError> {
        let next = match self.readers.get_mut(source) {
            Some(reader) => reader.next(self.file)?,
            None => self.order.next().map(|flow| self.table.flow(flow)),
        };
        if let (Some((key, counters)), Some(head)) = (next, self.heads.get_mut(source)) {
            *head = counters;
            self.heap.push(Reverse((key, source)));
        }
        Ok(())
    }

    /// The next flow.
    pub(super) fn next(&mut self) -> Result<Option<(K, FlowCounters)>, SpillError> {
        let Some(Reverse((key, source))) = self.heap.pop() else { return Ok(None) };
        let mut counters = self.heads.get(source).copied().unwrap_or(FlowCounters::EMPTY);
        self.advance(source)?;
        while let Some(Reverse((other, source))) = self.heap.peek().copied()
            && other == key
        {
            self.heap.pop();
            counters.merge(&self.heads.get(source).copied().unwrap_or(FlowCounters::EMPTY));
            self.advance(source)?;
        }
        Ok(Some((key, counters)))
    }
}

#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::super::packed::PackedV4;
    use super::super::table::PackedPacket;
    use super::*;

    #[test]
    fn the_space_of_a_closed_window_is_given_back_while_another_is_open() {
        let mut table = FlowTable::new();
        let packets: Vec<_> = (0..20_000_u32)
            .map(|number| {
                let address = number.into();
                let key = PackedV4::plain(address, address, crate::packet::Protocol::UDP, 1, 2);
                PackedPacket { key, time: Timestamp::MIN, ip_length: 1, tcp_flags: TcpFlags(0) }
            })
            .collect();
        table.count(&packets);
        let mut spill = SpillFile::default();
        let closed = spill.write(&table).unwrap();
        let open = spill.write(&table).unwrap();
        let blocks = |spill: &SpillFile| spill.file.as_ref().unwrap().metadata().unwrap().blocks();
        let before = blocks(&spill);
        spill.give_back(&[closed]);
        assert!(blocks(&spill) < before * 6 / 10, "{} of {before} blocks", blocks(&spill));
        let none = FlowTable::new();
        let mut merged = spill.merge(&[open], &none).unwrap();
        let mut rows = 0;
        while let Some((_, counters)) = merged.next().unwrap() {
            assert_eq!(counters.packets, 1);
            rows += 1;
        }
        assert_eq!(rows, 20_000);
    }
}
