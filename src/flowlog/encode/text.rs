//! Plain text, one record after another.

use std::io;

use super::RecordEncoder;
use crate::flowlog::text::{LineWriter, write_header_line};
use crate::record::{FlowRecord, LogFormat};

pub(super) struct TextEncoder {
    format: LogFormat,
    lines: LineWriter,
    header: bool,
}

impl TextEncoder {
    pub(super) fn new(format: &LogFormat, header: bool) -> Self {
        TextEncoder { format: format.clone(), lines: LineWriter::of_any(format), header }
    }
}

impl RecordEncoder for TextEncoder {
    fn begin(&mut self, out: &mut Vec<u8>) {
        if self.header {
            write_header_line(&self.format, out);
        }
    }

    fn record(&mut self, record: &FlowRecord, out: &mut Vec<u8>) -> io::Result<()> {
        self.lines.write(record, out);
        Ok(())
    }
}
