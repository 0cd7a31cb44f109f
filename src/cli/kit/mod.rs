//! `kit`: what a reader of flow logs has to be told.

pub mod args;

use std::io::{self, Write};
use std::path::Path;

use flowtruth::deliver::{FlowLogId, ObjectNames};
use flowtruth::kit::{KitOptions, kit};
use flowtruth::record::Layout;

use self::args::KitArgs;
use super::delivery::args::DeliveryArgs;
use super::delivery::settings::Delivery;
use super::messages::{Trouble, cannot_write, hint};
use super::settings::log_format;
use super::{Exit, Result};

pub fn run(args: KitArgs) -> Result {
    let target = args.target;
    let location = args.location.as_deref().map(checked).transpose()?;
    let delivery = Delivery::new(
        DeliveryArgs {
            file_format: args.file_format,
            layout: args.layout,
            hive_compatible_partitions: args.hive_compatible_partitions,
            per_hour_partition: args.per_hour_partition,
            destination_options: args.destination_options,
            flow_log_id: None,
            log_group: args.log_group,
            rebase: None,
            target: Some(target),
        },
        args.header,
        // a place that can take every layout, where none is named
        Some(Path::new(location.unwrap_or("."))),
    )?;
    let typed = args.log_format.as_deref().map(|text| log_format("--log-format", text)).transpose()?;
    let format = typed.or_else(|| delivery.preferred_format()).unwrap_or_default();
    delivery.check_format(&format)?;
    let objects = ObjectNames {
        flow_log: FlowLogId::derived_from(""),
        partitions: delivery.partitions,
        file_format: delivery.file_format,
    };
    for (option, text) in [("--account-id", &args.account_id), ("--region", &args.region)] {
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') || text.is_empty() {
            return Err(Trouble::new(format!(
                "`{option}` cannot be used: found `{}`, expected letters, digits and `-`",
                text.escape_debug()
            )));
        }
    }
    let of_group = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '#');
    if !delivery.log_group.chars().all(of_group) {
        return Err(Trouble::new(format!(
            "`--log-group` cannot be used: found `{}`, expected letters, digits, `.`, `-`, `_`, `/` and `#`",
            delivery.log_group.escape_debug()
        )));
    }
    let times = ["${year}", "${month}", "${day}", "${hour}"];
    let options = KitOptions {
        prefix: objects.prefix(&args.account_id, &args.region, times),
        suffix: objects.suffix().to_owned(),
        location: location.map_or_else(|| default_location(&delivery), str::to_owned),
        file_format: delivery.file_format,
        layout: delivery.layout,
        header: delivery.header,
        account: args.account_id,
        region: args.region,
        log_group: delivery.log_group,
        format,
    };
    let text = kit(target, &options);
    let mut output = io::stdout();
    output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
        .map_err(|error| cannot_write("standard output", error))?;
    let placeholders = [("ACCOUNT", "--account-id"), ("REGION", "--region"), ("BUCKET", "--location")];
    let named: Vec<String> = placeholders
        .iter()
        .filter(|(word, _)| text.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part == *word))
        .map(|(word, option)| format!("`{word}` (`{option}`)"))
        .collect();
    if !named.is_empty() {
        hint(format_args!("put yours in place of {}", named.join(", ")));
    }
    Ok(Exit::Fine)
}

/// A place without a slash at its end, and without what would end a value in a configuration.
fn checked(location: &str) -> std::result::Result<&str, Trouble> {
    match location.contains(|c: char| c.is_control() || matches!(c, '\'' | '"' | '`' | '\\')) {
        true => Err(Trouble::new(format!(
            "`--location` cannot be used: found `{}`, expected no quotes, backslashes and control characters",
            location.escape_debug()
        ))),
        false => Ok(location.trim_end_matches('/')),
    }
}

/// Where a log is that nobody said the place of.
fn default_location(delivery: &Delivery) -> String {
    match (delivery.layout, delivery.file_format) {
        (Layout::File, format) => format!("flow.{}", format.extension()),
        _ => "s3://BUCKET".to_owned(),
    }
}
