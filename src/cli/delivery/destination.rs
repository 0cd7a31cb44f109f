//! Where delivered records go: one output, or a directory.

use std::io::{self, Write};
use std::path::Path;

use flowtruth::deliver::{DirectoryStore, MissingInName, ObjectStore};
use flowtruth::flowlog::encode::encoder;
use flowtruth::meter::SpillError;
use flowtruth::pipeline::{
    ConvertError, EncodedOutput, EventForm, EventSink, ObjectSink, Rebased, RecordOptions, RecordSink,
};
use flowtruth::record::{Layout, LogFormat};
use serde::Serialize;

use super::settings::Delivery;
use crate::cli::messages::{Trouble, cannot_write, say};
use crate::cli::objects::Objects;
use crate::cli::output::Output;
use crate::cli::summary::counted;

/// Where records go.
pub enum Destination {
    /// One output, which becomes visible when it is finished.
    Output(Output),
    /// Objects, each visible when it is complete.
    Store(Box<dyn ObjectStore>, String),
}

impl Destination {
    /// Opens what `-o` names for this layout.
    pub fn open(delivery: &Delivery, output: Option<&Path>) -> Result<Destination, Trouble> {
        match (output, delivery.layout) {
            (None, _) => Ok(Destination::Output(Output::standard())),
            (Some(path), Layout::File) => Output::file(path).map(Destination::Output),
            (Some(path), _) => {
                let name = format!("`{}`", path.display());
                let no_directory = |error| {
                    let trouble = cannot_write(&name, error);
                    match path.exists() && !path.is_dir() {
                        true => trouble
                            .with_hint("it is no directory, and the layout has many files; name another"),
                        false => trouble,
                    }
                };
                let store: Box<dyn ObjectStore> = match Objects::below(path) {
                    Some(bucket) => Box::new(bucket?),
                    None => Box::new(DirectoryStore::new(path).map_err(no_directory)?),
                };
                Ok(Destination::Store(store, name))
            }
        }
    }

    /// What it is called in messages.
    pub fn name(&self) -> &str {
        match self {
            Destination::Output(output) => output.name(),
            Destination::Store(_, name) => name,
        }
    }

    /// The one output, if it is one.
    pub fn output(&self) -> Option<&Output> {
        match self {
            Destination::Output(output) => Some(output),
            Destination::Store(..) => None,
        }
    }

    /// Completes it.
    pub fn finish(self) -> Result<(), Trouble> {
        match self {
            Destination::Output(output) => output.finish(),
            Destination::Store(..) => Ok(()),
        }
    }

    /// Runs a conversion into it.
    pub fn take<T>(
        &mut self,
        delivery: &Delivery,
        records: &RecordOptions,
        why: bool,
        quiet: bool,
        convert: impl FnOnce(&mut dyn RecordSink) -> Result<T, ConvertError>,
    ) -> Result<Result<T, ConvertError>, Trouble> {
        let format = &records.format;
        let convert = |sink: &mut dyn RecordSink| match delivery.rebase {
            Some(to) => convert(&mut Rebased::new(to, sink)),
            None => convert(sink),
        };
        let (converted, told) = match self {
            Destination::Output(output) => {
                let encoder = encoder(delivery.file_format, format, delivery.header);
                let mut sink = EncodedOutput::new(encoder, output);
                if why {
                    sink = sink.with_reasons();
                }
                (convert(&mut sink), None)
            }
            Destination::Store(store, name) if delivery.layout == Layout::S3 => {
                let mut sink = ObjectSink::new(delivery.objects(format, &records.identity)?, &mut **store);
                let converted = convert(&mut sink);
                (converted, Some(format!("{} in {name}", counted(sink.objects(), "object"))))
            }
            Destination::Store(store, name) => {
                let mut sink = event_sink(delivery, format, records, &mut **store);
                let converted = convert(&mut sink);
                let batches = match sink.batches() {
                    1 => "1 batch".to_owned(),
                    many => format!("{many} batches"),
                };
                (converted, Some(format!("{batches} of events in {name}")))
            }
        };
        if let (Some(told), true, false) = (told, converted.is_ok(), quiet) {
            say(told);
        }
        Ok(converted)
    }
}

fn event_sink<'a>(
    delivery: &Delivery,
    format: &LogFormat,
    records: &RecordOptions,
    store: &'a mut dyn ObjectStore,
) -> EventSink<&'a mut dyn ObjectStore> {
    let form = match delivery.layout {
        Layout::CloudWatchSubscription => EventForm::Subscription,
        _ => EventForm::Put,
    };
    let owner = records.identity.account_id.as_deref().unwrap_or("unknown").to_owned();
    EventSink::new(form, format.clone(), delivery.log_group.clone(), owner, store)
}

/// Why a conversion gave nothing.
pub fn cannot_deliver(destination: &Destination, error: ConvertError) -> Trouble {
    match error {
        ConvertError::Write(error) => {
            let missing = MissingInName::of(&error);
            let written = cannot_write(destination.name(), error);
            match missing {
                Some(missing) => written.with_hint(missing.hint()),
                None => written,
            }
        }
        ConvertError::Spill(error) => spilled(error),
    }
}

/// The temporary directory was needed and could not be used.
pub fn spilled(error: SpillError) -> Trouble {
    Trouble::new(error.to_string())
        .caused_by(error.source)
        .with_hint("set `TMPDIR` to a directory with more room, or raise `--memory-limit`")
}

/// Writes a ledger as JSON.
pub fn write_ledger(ledger: &impl Serialize, mut output: Output) -> Result<(), Trouble> {
    serde_json::to_writer_pretty(&mut output, ledger)
        .map_err(io::Error::from)
        .and_then(|()| output.write_all(b"\n"))
        .map_err(|error| cannot_write(output.name(), error))?;
    output.finish()
}
