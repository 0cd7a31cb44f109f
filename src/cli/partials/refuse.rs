//! Options that mean nothing for partial records, or cannot be told of a part.

use crate::cli::messages::Trouble;

/// Options about records, which are made when parts are merged: their names in `args`, and as they are typed.
const OF_RECORDS: [(&str, &str); 15] = [
    ("log_format", "--log-format"),
    ("header", "--header"),
    ("account_id", "--account-id"),
    ("interface_id", "--interface-id"),
    ("constants", "--set"),
    ("interface_addresses", "--interface-address"),
    ("file_format", "--file-format"),
    ("layout", "--layout"),
    ("hive_compatible_partitions", "--hive-compatible-partitions"),
    ("per_hour_partition", "--per-hour-partition"),
    ("destination_options", "--destination-options"),
    ("flow_log_id", "--flow-log-id"),
    ("log_group", "--log-group"),
    ("rebase", "--rebase"),
    ("target", "--target"),
];

/// Refuses what was typed beside `--partials` and is not about counting packets.
pub fn check(typed: &[String]) -> Result<(), Trouble> {
    let is_typed = |id: &str| typed.iter().any(|typed| typed == id);
    if is_typed("paths") {
        return Err(Trouble::new(
            "`--vpc` has to see all packets of a connection in order, and with `--partials` they may be in several parts",
        )
        .with_hint("convert all captures in one run, with `--vpc` and without `--partials`"));
    }
    if is_typed("input_format") {
        return Err(Trouble::new(
            "`--input-format` is about flow logs, and `--partials` counts packets of captures",
        )
        .with_hint("`flowtruth convert --max-aggregation-interval` merges the records of flow logs"));
    }
    match OF_RECORDS.iter().find(|(id, _)| is_typed(id)) {
        Some((_, option)) => Err(Trouble::new(format!(
            "`{option}` is about records, and `--partials` writes rows that records are made of later"
        ))
        .with_hint("give it to `flowtruth merge`")),
        None => Ok(()),
    }
}
