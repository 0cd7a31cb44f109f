//! `fields`: the reference of the fields of a flow log record.

use std::fmt::Write as _;
use std::io::{self, Write};

use anstyle::Style;
use flowtruth::record::{Field, FieldInfo, Values};

use super::args::FieldsArgs;
use super::messages::{Trouble, cannot_write};
use super::{Exit, Result, table};

pub fn run(args: FieldsArgs) -> Result {
    let fields = match &args.name {
        Some(name) => vec![Field::from_name(name).map_err(|error| {
            Trouble::new(error.to_string()).with_hint("`flowtruth fields` lists them all")
        })?],
        None => Field::ALL.to_vec(),
    };
    let infos: Vec<&FieldInfo> = fields.iter().map(|field| field.info()).collect();
    let text = match (&args.name, args.json) {
        (Some(_), true) => json(&infos.first()),
        (None, true) => json(&infos),
        (Some(_), false) => infos.iter().map(|info| one(info)).collect(),
        (None, false) => all(&infos),
    };
    let mut output = anstream::stdout();
    output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
        .map_err(|error: io::Error| cannot_write("standard output", error))?;
    Ok(Exit::Fine)
}

fn json(value: &impl serde::Serialize) -> String {
    // plain data with text keys always has a JSON form
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

fn all(infos: &[&FieldInfo]) -> String {
    let mut rows = table::plain();
    rows.set_header(["FIELD", "VERSION", "TYPE", "MEANING"]);
    for info in infos {
        let version = format!("v{}", info.version);
        rows.add_row([info.name, &version, &info.field_type.to_string(), info.meaning]);
    }
    table::text(&rows)
}

fn one(info: &FieldInfo) -> String {
    let bold = Style::new().bold();
    let mut text = format!("{bold}{}{bold:#}\n", info.name);
    let mut rows = table::plain();
    rows.add_row(["meaning", info.meaning]);
    rows.add_row(["`-` when", info.missing]);
    rows.add_row(["values", &values(&info.values)]);
    rows.add_row(["version", &format!("{}, and every later one", info.version)]);
    rows.add_row(["type in Parquet", &format!("{}, column `{}`", info.field_type, info.column)]);
    rows.add_row(["flowtruth convert", info.origin.explanation()]);
    rows.add_row(["source", &format!("Amazon VPC User Guide: {}", info.source)]);
    text.push_str(&table::text(&rows));
    text
}

fn values(values: &Values) -> String {
    let listed = |list: &[(&str, &str)]| {
        let mut text = String::new();
        for (value, meaning) in list {
            // writing to a string cannot fail
            let _ = writeln!(text, "{value}  {meaning}");
        }
        text.trim_end().to_owned()
    };
    match values {
        Values::Described(text) => (*text).to_owned(),
        Values::Range(min, max) => format!("{min} to {max}"),
        Values::Listed(list) => listed(list),
        Values::Bits(list) => format!("sums of\n{}", listed(list)),
        Values::Codes(codes) => format!("{}, …", codes.join(", ")),
    }
}
