//! Plain text, one record after another.

use std::io;

use super::RecordEncoder;
use crate::flowlog::text::{write_header_line, write_record_line};
use crate::record::{FlowRecord, LogFormat};

pub(super) struct TextEncoder {
    format: LogFormat,
    header: bool,
}

impl TextEncoder {
    pub(super) fn new(format: &LogFormat, header: bool) -> Self {
        TextEncoder { format: format.clone(), header }
    }
}

impl RecordEncoder for TextEncoder {
    fn begin(&mut self, out: &mut Vec<u8>) {
        if self.header {
            write_header_line(&self.format, out);
        }
    }

    fn record(&mut self, record: &FlowRecord, out: &mut Vec<u8>) -> io::Result<()> {
        write_record_line(&self.format, record, out);
        Ok(())
    }
}
