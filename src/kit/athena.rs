//! A table for Amazon Athena (AWS "Query Amazon VPC flow logs", "Use partition projection with Amazon Athena").

use super::KitOptions;
use super::columns::column_type;
use super::template::fill;
use crate::record::FileFormat;

/// The columns of the time in the names of objects: name, digits and range.
const TIMES: [(&str, u8, &str); 4] =
    [("year", 4, "2014,2040"), ("month", 2, "1,12"), ("day", 2, "1,31"), ("hour", 2, "0,23")];

pub(super) fn kit(options: &KitOptions) -> String {
    let fields = options.format.fields().iter();
    let columns: Vec<String> = fields
        .map(|field| format!("  `{}` {}", field.column(), column_type(*field, ["int", "bigint", "string"])))
        .collect();
    let times: Vec<_> =
        TIMES.iter().filter(|(name, ..)| options.prefix.contains(&format!("${{{name}}}"))).collect();
    let partitions: Vec<String> = times.iter().map(|(name, ..)| format!("`{name}` int")).collect();
    let names: Vec<String> = times.iter().map(|(name, ..)| format!("`{name}`")).collect();
    let mut properties = Vec::new();
    let is_text = options.file_format != FileFormat::Parquet;
    if is_text && options.header {
        properties.push(("skip.header.line.count".to_owned(), "1".to_owned()));
    }
    properties.push(("projection.enabled".to_owned(), "true".to_owned()));
    for (name, digits, range) in times {
        properties.push((format!("projection.{name}.type"), "integer".to_owned()));
        properties.push((format!("projection.{name}.range"), (*range).to_owned()));
        properties.push((format!("projection.{name}.digits"), digits.to_string()));
    }
    let objects = format!("{}/{}", options.location, options.prefix);
    properties.push(("storage.location.template".to_owned(), objects));
    let properties: Vec<String> =
        properties.iter().map(|(name, value)| format!("  '{name}' = '{value}'")).collect();
    let row_format = match is_text {
        true => "ROW FORMAT DELIMITED FIELDS TERMINATED BY ' '\nSTORED AS TEXTFILE",
        false => "STORED AS PARQUET",
    };
    fill(
        include_str!("templates/athena.sql"),
        &[
            ("file_format", options.file_format.name()),
            ("location", &options.location),
            ("objects", options.prefix_before_time()),
            ("partition_names", &names.join(", ")),
            ("columns", &columns.join(",\n")),
            ("partitions", &partitions.join(", ")),
            ("row_format", row_format),
            ("properties", &properties.join(",\n")),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::tests::options;
    use crate::record::{FileFormat, Layout};

    #[test]
    fn hours_are_a_column_only_where_objects_have_them() {
        let days = options("v2", FileFormat::PlainText, Layout::S3);
        assert!(!kit(&days).contains("hour"));
        let prefix = format!("{}${{hour}}/", days.prefix);
        let hours = kit(&KitOptions { prefix, ..days });
        assert!(hours.contains("`day` int, `hour` int)"), "{hours}");
        assert!(hours.contains("'projection.hour.range' = '0,23'"), "{hours}");
    }

    #[test]
    fn only_text_has_a_header_to_skip() {
        let text = kit(&options("v2", FileFormat::PlainText, Layout::S3));
        assert!(text.contains("'skip.header.line.count' = '1'"), "{text}");
        let parquet = kit(&options("v2", FileFormat::Parquet, Layout::S3));
        assert!(!parquet.contains("skip.header") && parquet.contains("STORED AS PARQUET"), "{parquet}");
    }
}
