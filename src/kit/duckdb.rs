//! A view for DuckDB.

use super::KitOptions;
use super::columns::column_type;
use super::template::fill;
use crate::record::{Field, FieldType, FileFormat, Layout};

const TYPES: [&str; 3] = ["INTEGER", "BIGINT", "VARCHAR"];

pub(super) fn kit(options: &KitOptions) -> String {
    let files = options.files().replace('\'', "''");
    let what = match options.layout {
        Layout::File => format!("the file {}", options.location),
        _ => format!("{} objects below {}/", options.file_format, options.location),
    };
    let select = match options.file_format {
        FileFormat::Parquet => parquet(options, &files),
        FileFormat::PlainText => text(options, &files),
        FileFormat::Json | FileFormat::Ocsf => json(options, &files),
    };
    let summed = [Field::Packets, Field::Bytes].into_iter().filter(|field| options.format.contains(*field));
    let sums: String = summed.map(|field| format!(", sum({field}) AS {field}")).collect();
    fill(include_str!("templates/duckdb.sql"), &[("what", &what), ("select", &select), ("sums", &sums)])
}

/// The columns as `{'name': 'TYPE', …}`.
fn columns(options: &KitOptions) -> String {
    let fields = options.format.fields().iter();
    let columns: Vec<String> =
        fields.map(|field| format!("    '{}': '{}'", field.column(), column_type(*field, TYPES))).collect();
    format!("{{\n{}\n  }}", columns.join(",\n"))
}

fn text(options: &KitOptions, files: &str) -> String {
    format!(
        "SELECT * FROM read_csv(\n  '{files}',\n  delim = ' ', header = {}, nullstr = '-', quote = '', auto_detect = false, hive_partitioning = false,\n  columns = {}\n)",
        options.header,
        columns(options)
    )
}

fn json(options: &KitOptions, files: &str) -> String {
    format!(
        "SELECT * FROM read_json(\n  '{files}',\n  format = 'newline_delimited', hive_partitioning = false,\n  columns = {}\n)",
        columns(options)
    )
}

/// Text columns of Parquet have `-` for what is missing, as AWS's have.
fn parquet(options: &KitOptions, files: &str) -> String {
    let is_text = |field: &&Field| field.field_type() == FieldType::String;
    let texts = options.format.fields().iter().filter(is_text).map(|field| field.column());
    let nulls: Vec<String> = texts.map(|name| format!("  nullif(\"{name}\", '-') AS \"{name}\"")).collect();
    let replace = match nulls.is_empty() {
        true => String::new(),
        false => format!(" REPLACE (\n{}\n)", nulls.join(",\n")),
    };
    format!("SELECT *{replace}\nFROM read_parquet('{files}', hive_partitioning = false)")
}
