//! What was typed about delivery → what it means: a consumer's contract, AWS's words and this program's brought together.

use std::path::Path;

use chrono::Utc;
use flowtruth::consumer::{Consumer, Header};
use flowtruth::deliver::{FlowLogId, NamePart, ObjectNames, Partitions};
use flowtruth::packet::Timestamp;
use flowtruth::pipeline::{ObjectDelivery, RebaseTo};
use flowtruth::record::{FileFormat, FlowRecord, Layout, LogFormat};

use super::args::DeliveryArgs;
use crate::cli::messages::Trouble;

/// The log group of events where none was named.
const LOG_GROUP: &str = "vpc-flow-logs";

/// How records are delivered, settled and checked.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub file_format: FileFormat,
    pub layout: Layout,
    pub header: bool,
    pub partitions: Partitions,
    pub flow_log_id: Option<FlowLogId>,
    pub log_group: String,
    pub rebase: Option<RebaseTo>,
    pub target: Option<Consumer>,
}

impl Delivery {
    /// Settles what was typed, given `--header` and `-o`.
    pub fn new(args: DeliveryArgs, header: bool, output: Option<&Path>) -> Result<Delivery, Trouble> {
        let contract = args.target.map(Consumer::contract);
        let file_format = file_format(&args, output)?;
        let layout = match (args.layout, contract) {
            (Some(layout), Some(contract)) if !contract.layouts.contains(&layout) => {
                return Err(contradiction(&args, &format!("--layout {layout}"), contract.layouts));
            }
            (Some(layout), _) => layout,
            (None, Some(contract)) => contract.layouts.first().copied().unwrap_or_default(),
            (None, None) => Layout::File,
        };
        let file_format = match (file_format, contract) {
            (Some((format, by)), Some(contract)) if !contract.file_formats.contains(&format) => {
                return Err(contradiction(&args, &by, contract.file_formats));
            }
            (Some((format, _)), _) => format,
            (None, Some(contract)) => contract.file_formats.first().copied().unwrap_or_default(),
            (None, None) => FileFormat::PlainText,
        };
        let delivery = Delivery {
            header: settled_header(&args, header, file_format, layout)?,
            partitions: partitions(&args, layout)?,
            rebase: args.rebase.as_deref().map(rebase).transpose()?,
            log_group: args.log_group.unwrap_or_else(|| LOG_GROUP.to_owned()),
            flow_log_id: args.flow_log_id,
            target: args.target,
            file_format,
            layout,
        };
        delivery.check_place(output)?;
        Ok(delivery)
    }

    /// Whether records are lines on one output, at their own time.
    pub fn is_plain(&self) -> bool {
        self.file_format == FileFormat::PlainText && self.layout == Layout::File && self.rebase.is_none()
    }

    /// The format to write where none was typed or described.
    pub fn preferred_format(&self) -> Option<LogFormat> {
        self.target.map(|target| target.contract().preferred_format())
    }

    /// Refuses fields that the target cannot make sense of.
    pub fn check_format(&self, format: &LogFormat) -> Result<(), Trouble> {
        let Some(target) = self.target else { return Ok(()) };
        target.contract().reads(format).map_err(|breach| {
            let preferred = target.contract().preferred_format();
            Trouble::new(format!("`--target {target}` does not read this log format: {breach}"))
                .with_hint(format!("without `--log-format` it gets `{preferred}`"))
        })
    }

    /// What the objects of this log are, given what its records share.
    pub fn objects(&self, format: &LogFormat, identity: &FlowRecord) -> Result<ObjectDelivery, Trouble> {
        let part = |value: &Option<Box<str>>, option: &str| -> Result<Option<NamePart>, Trouble> {
            let given = value.as_deref().filter(|value| *value != "unknown");
            let cannot = |error| {
                Trouble::new(format!("`{option}` cannot be used with `--layout s3`")).caused_by(error)
            };
            given.map(|value| value.parse().map_err(cannot)).transpose()
        };
        let account = part(&identity.account_id, "--account-id")?;
        let region = part(&identity.region, "--set region")?;
        let flow_log = self.flow_log_id.clone().unwrap_or_else(|| {
            let parts = [&identity.account_id, &identity.region, &identity.vpc_id, &identity.interface_id];
            let parts: Vec<&str> = parts.map(|part| part.as_deref().unwrap_or("-")).to_vec();
            FlowLogId::derived_from(&format!("{} {format} {}", parts.join(" "), self.file_format))
        });
        Ok(ObjectDelivery {
            names: ObjectNames { flow_log, partitions: self.partitions, file_format: self.file_format },
            format: format.clone(),
            header: self.header,
            account,
            region,
        })
    }

    /// Refuses places that cannot take what is written.
    fn check_place(&self, output: Option<&Path>) -> Result<(), Trouble> {
        let to_standard = output.is_none_or(|path| path.as_os_str() == "-");
        if self.layout != Layout::File && to_standard {
            let because = match self.target {
                Some(target) => format!("`--target {target}` means `--layout {}`, which", self.layout),
                None => format!("`--layout {}`", self.layout),
            };
            return Err(Trouble::new(format!("{because} writes many files, and no directory was named"))
                .with_hint("name it with `-o DIR/`"));
        }
        if self.layout == Layout::File && self.file_format == FileFormat::Parquet && to_standard {
            use std::io::IsTerminal;
            if std::io::stdout().is_terminal() {
                return Err(Trouble::new("Parquet is not for terminals")
                    .with_hint("name a file with `-o flows.parquet`, or pipe it on"));
            }
        }
        let is_gzip =
            |path: &Path| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
        if self.layout == Layout::File
            && self.file_format == FileFormat::Parquet
            && output.is_some_and(is_gzip)
        {
            return Err(Trouble::new("Parquet in gzip is no Parquet file")
                .with_hint("its columns are compressed already; name a file such as `flows.parquet`"));
        }
        Ok(())
    }
}

/// The file format that was typed, or that the output's name tells; and by what.
fn file_format(args: &DeliveryArgs, output: Option<&Path>) -> Result<Option<(FileFormat, String)>, Trouble> {
    let option = args.file_format.map(|format| (format, format!("--file-format {format}")));
    let aws = args.destination_options.and_then(|options| options.file_format);
    let aws = aws.map(|format| (format, format!("--destination-options FileFormat={format}")));
    let is_file = args.layout.is_none_or(|layout| layout == Layout::File);
    let named = output.filter(|_| is_file).and_then(|path| {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let name = Path::new(name.strip_suffix(".gz").unwrap_or(&name));
        let format = match name.extension()?.to_str()? {
            "parquet" => FileFormat::Parquet,
            "ndjson" | "jsonl" => FileFormat::Json,
            _ => return None,
        };
        Some((format, format!("-o {}", path.display())))
    });
    let told: Vec<(FileFormat, String)> = [option, aws, named].into_iter().flatten().collect();
    if let [(first, by), rest @ ..] = told.as_slice() {
        // OCSF events are lines of JSON
        let agrees =
            |other: FileFormat| other == *first || (*first == FileFormat::Ocsf && other == FileFormat::Json);
        if let Some((_, other)) = rest.iter().find(|(format, _)| !agrees(*format)) {
            return Err(Trouble::new(format!("`{by}` and `{other}` contradict each other")));
        }
    }
    Ok(told.into_iter().next())
}

/// Whether text has a header line.
fn settled_header(
    args: &DeliveryArgs,
    typed: bool,
    file_format: FileFormat,
    layout: Layout,
) -> Result<bool, Trouble> {
    if file_format != FileFormat::PlainText {
        return match typed {
            true => {
                Err(Trouble::new(format!("`--header` is for plain text, and the records are {file_format}")))
            }
            false => Ok(false),
        };
    }
    if matches!(layout, Layout::CloudWatch | Layout::CloudWatchSubscription) && typed {
        return Err(Trouble::new(format!(
            "`--header` and `--layout {layout}` contradict each other: events have no header"
        )));
    }
    match args.target {
        Some(target) if typed && target.contract().header == Header::Forbidden => Err(Trouble::new(format!(
            "`--header` and `--target {target}` contradict each other: it takes a header for a record"
        ))),
        Some(target) => Ok(typed || target.contract().writes_header(layout)),
        None => Ok(typed || layout == Layout::S3),
    }
}

fn partitions(args: &DeliveryArgs, layout: Layout) -> Result<Partitions, Trouble> {
    let aws = args.destination_options.unwrap_or_default();
    let settle = |flag: bool, option: Option<bool>, name: &str| match (flag, option) {
        (true, Some(false)) => {
            Err(Trouble::new(format!("`--{name}` and `--destination-options` contradict each other")))
        }
        (flag, option) => Ok(flag || option.unwrap_or(false)),
    };
    let partitions = Partitions {
        hive_compatible: settle(
            args.hive_compatible_partitions,
            aws.hive_compatible,
            "hive-compatible-partitions",
        )?,
        per_hour: settle(args.per_hour_partition, aws.per_hour, "per-hour-partition")?,
    };
    let needs_s3 = [
        (args.hive_compatible_partitions, "--hive-compatible-partitions"),
        (args.per_hour_partition, "--per-hour-partition"),
        (aws.hive_compatible == Some(true) || aws.per_hour == Some(true), "--destination-options"),
        (args.flow_log_id.is_some(), "--flow-log-id"),
    ];
    if layout != Layout::S3
        && let Some((_, option)) = needs_s3.iter().find(|(typed, _)| *typed)
    {
        return Err(Trouble::new(format!("`{option}` is about objects on S3, and the layout is `{layout}`"))
            .with_hint("add `--layout s3`"));
    }
    let is_events = matches!(layout, Layout::CloudWatch | Layout::CloudWatchSubscription);
    if args.log_group.is_some() && !is_events {
        return Err(Trouble::new(format!(
            "`--log-group` is about CloudWatch Logs, and the layout is `{layout}`"
        ))
        .with_hint("add `--layout cloudwatch`"));
    }
    let file_format = args.file_format.or(aws.file_format).unwrap_or_default();
    if is_events && file_format != FileFormat::PlainText {
        return Err(Trouble::new(format!(
            "`--file-format {file_format}` and `--layout {layout}` contradict each other: events are plain text"
        )));
    }
    if partitions.hive_compatible && args.target == Some(Consumer::FlowlogsReader) {
        return Err(Trouble::new(
            "`--hive-compatible-partitions` and `--target flowlogs-reader` contradict each other: it finds no records there",
        ));
    }
    Ok(partitions)
}

fn rebase(text: &str) -> Result<RebaseTo, Trouble> {
    let wrong = || {
        Trouble::new(format!("`--rebase {text}` is no time"))
            .with_hint("it takes `now`, `now-1800` (seconds), Unix seconds or RFC 3339")
    };
    let Some(before) = text.strip_prefix("now") else {
        return text.parse().map(RebaseTo).map_err(|error| wrong().caused_by(error));
    };
    let seconds: i64 = match before.strip_prefix('-') {
        Some(digits) => digits.parse().ok().filter(|seconds| *seconds >= 0).ok_or_else(wrong)?,
        None if before.is_empty() => 0,
        None => return Err(wrong()),
    };
    let nanos = i128::from(Utc::now().timestamp().saturating_sub(seconds)) * 1_000_000_000;
    Ok(RebaseTo(Timestamp::from_nanos(i64::try_from(nanos).map_err(|_| wrong())?)))
}

fn contradiction(args: &DeliveryArgs, option: &str, allowed: &[impl std::fmt::Display]) -> Trouble {
    let target = args.target.map_or("", Consumer::name);
    let allowed: Vec<String> = allowed.iter().map(|one| format!("`{one}`")).collect();
    Trouble::new(format!(
        "`{option}` and `--target {target}` contradict each other: it takes {}",
        allowed.join(" or ")
    ))
}
