//! Frames into the records of a pcap or the blocks of a pcapng, both little-endian and in microseconds.

use std::io::{self, Write};

use super::Totals;
use super::frame::Frame;

/// How much is gathered before it is written.
const BUFFER: usize = 1 << 20;

/// Zeros to pad a frame with.
const ZEROS: [u8; 64] = [0; 64];

/// Writes a capture and adds up what it holds.
pub struct CaptureWriter<W> {
    output: W,
    buffer: Vec<u8>,
    pcapng: bool,
    totals: Totals,
}

impl<W: Write> CaptureWriter<W> {
    /// Begins a capture.
    pub fn new(output: W, pcapng: bool) -> io::Result<Self> {
        let mut buffer = Vec::with_capacity(BUFFER + (1 << 16));
        let mut words = |words: &[u32]| words.iter().for_each(|word| buffer.extend(word.to_le_bytes()));
        if pcapng {
            words(&[0x0a0d_0d0a, 28, 0x1a2b_3c4d, 1, u32::MAX, u32::MAX, 28]);
            // Ethernet, snap length 262,144
            words(&[1, 20, 1, 262_144, 20]);
        } else {
            // version 2.4
            words(&[0xa1b2_c3d4, 4 << 16 | 2, 0, 0, 262_144, 1]);
        }
        Ok(CaptureWriter { output, buffer, pcapng, totals: Totals::default() })
    }

    /// Writes a packet, padded to `least` bytes.
    pub fn packet(&mut self, microseconds: u64, frame: &Frame<'_>, least: usize) -> io::Result<()> {
        let length = frame.length().max(least);
        let header = |words: &[u32], buffer: &mut Vec<u8>| {
            words.iter().for_each(|word| buffer.extend_from_slice(&word.to_le_bytes()));
        };
        let captured = length as u32;
        let mut padded = length;
        let mut total = 0;
        if self.pcapng {
            padded = length.next_multiple_of(4);
            total = 32 + padded as u32;
            let (high, low) = ((microseconds >> 32) as u32, microseconds as u32);
            header(&[6, total, 0, high, low, captured, captured], &mut self.buffer);
        } else {
            let (seconds, rest) = (microseconds / 1_000_000, microseconds % 1_000_000);
            header(&[seconds as u32, rest as u32, captured, captured], &mut self.buffer);
        }
        let start = self.buffer.len();
        frame.write(&mut self.buffer);
        let padding = start + padded - self.buffer.len();
        self.buffer.extend_from_slice(ZEROS.get(..padding).unwrap_or(&ZEROS));
        if self.pcapng {
            header(&[total], &mut self.buffer);
        }
        self.totals.packets += 1;
        self.totals.ip_bytes += frame.ip_length() as u64;
        if self.buffer.len() >= BUFFER { self.write_out() } else { Ok(()) }
    }

    fn write_out(&mut self) -> io::Result<()> {
        self.totals.capture_bytes += self.buffer.len() as u64;
        self.output.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    /// Writes the rest and says what was written, of so many flows.
    pub fn finish(mut self, flows: u64) -> io::Result<Totals> {
        self.write_out()?;
        self.output.flush()?;
        Ok(Totals { flows, ..self.totals })
    }
}
