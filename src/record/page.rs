//! `docs/fields.md`, made from the table: the test fails where the page is stale, `OVERWRITE=1` rewrites it.

use std::fmt::Write;

use super::{Field, FieldInfo, LogFormat, Values};

const INTRODUCTION: &str = "\
# The fields of a VPC flow log

<!-- Made from the field table in src/record/table.rs; `OVERWRITE=1 cargo test fields_page` rewrites it. -->

Version 11 of AWS's VPC flow logs has {count} fields. This page lists them in the order of AWS's documentation
(Amazon VPC User Guide, \"Flow log records\"): what each one says, when it is `-`, and whether flowtruth fills it.

## Formats

A log format is a choice of fields in any order, at least one and none twice: `${version} ${srcaddr} ${bytes}`. The
presets hold all fields up to a version, in the order of this page:

| preset | fields | adds |
|---|---|---|
";

const RULES: &str = "
There is no `v6`: version 6 is for transit gateway flow logs only, which have fields of their own (`tgw-id`,
`packets-lost-blackhole` and so on). A VPC flow log never says 6.

### The `version` field

`version` is not a matter of taste. The default format has 2; a custom format has the highest version among its
fields, whether `version` itself is among them or not. A format with nothing but version 2 fields in another order
still says 2; with `${vpc-id}` (3) and `${az-id}` (4) it says 4. flowtruth always prints the format's version, whatever
a record says.

### srcport comes first

In the default format the two ports are `srcport`, then `dstport`, as the addresses are source, then destination. Some
tutorials read them the other way round. In

```text
2 123456789012 eni-abc123de 192.168.1.1 10.0.0.1 443 12345 6 10 840 1623101047 1623101107 ACCEPT OK
```

192.168.1.1 sends *from* port 443 *to* port 12345 of 10.0.0.1: it is the answer of an HTTPS server, not a request to
one.

### `-` and `0`

`-` is a missing value: the field does not apply, or its value is not known. `0` is a value: ICMP has the ports `0 0`,
and a TCP record of data packets alone has the `tcp-flags` 0. NODATA and SKIPDATA records have `-` in every field about
traffic; `start` and `end` are the window's bounds.

### The two editions of `traffic-path`

AWS's documentation changed two meanings without changing the numbers. Text from 2021 to 2024 has 6 for a local gateway
(of an Outpost). The current text counts the local gateway under 1, beside other resources in the same VPC, and has 6
for a Local Zone or a Wavelength Zone. A 1 or a 6 in a log can only be read together with its date. Both editions have
two numbers for an internet gateway and for a gateway VPC endpoint: 2 for either, and 8 and 7 from instances on Nitro.

## Overview

*Type* is the type in Parquet, where column names have `_` for `-`; in text every value is a word. *flowtruth*:
**computed** from the packets, windows and format; **given** as a constant by you, else `-`; **-** where a capture
does not show it.

| field | version | type | flowtruth |
|---|---|---|---|
";

fn page() -> String {
    let mut page = INTRODUCTION.replace("{count}", &Field::ALL.len().to_string());
    let mut before = 0;
    for preset in ["v2", "v3", "v4", "v5", "v7", "v8", "v9", "v10", "v11"] {
        let format = LogFormat::preset(preset).unwrap();
        let names: Vec<String> = format.fields()[before..].iter().map(|field| format!("`{field}`")).collect();
        let alias = match preset {
            "v2" => ", `default`",
            "v11" => ", `all`",
            _ => "",
        };
        before = format.fields().len();
        writeln!(page, "| `{preset}`{alias} | {before} | {} |", names.join(" ")).unwrap();
    }
    page.push_str(RULES);
    for field in Field::ALL {
        let info = field.info();
        let filled = match info.origin {
            super::Origin::Computed => "computed",
            super::Origin::Constant => "given",
            super::Origin::Mixed => "computed or given",
            super::Origin::Vpc => "from `--vpc`",
            super::Origin::Unknown => "-",
        };
        // GitHub's anchor of the heading below
        writeln!(page, "| [`{0}`](#{0}) | {1} | {2} | {filled} |", info.name, info.version, info.field_type)
            .unwrap();
    }
    page.push_str("\n## Reference\n");
    Field::ALL.into_iter().for_each(|field| section(&mut page, field.info()));
    page
}

fn section(page: &mut String, info: &FieldInfo) {
    writeln!(page, "\n### {}\n\n{}\n", info.name, info.meaning).unwrap();
    writeln!(page, "- since version {}; `{}`, column `{}`", info.version, info.field_type, info.column)
        .unwrap();
    match info.values {
        Values::Described(text) => writeln!(page, "- values: {text}").unwrap(),
        Values::Range(min, max) => writeln!(page, "- values: {min} to {max}").unwrap(),
        Values::Codes(codes) => {
            let codes: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
            writeln!(page, "- values (AWS adds to them): {}", codes.join(", ")).unwrap();
        }
        Values::Listed(list) => each(page, "- values:", list),
        Values::Bits(list) => each(page, "- the sum of:", list),
    }
    writeln!(page, "- `-`: {}", info.missing).unwrap();
    writeln!(page, "- flowtruth: {}", info.origin.explanation()).unwrap();
    writeln!(page, "- source: AWS, {}", info.source.replace("; ", " and ")).unwrap();
}

fn each(page: &mut String, title: &str, list: &[(&str, &str)]) {
    writeln!(page, "{title}").unwrap();
    for (value, meaning) in list {
        writeln!(page, "  - `{value}`: {meaning}").unwrap();
    }
}

#[test]
fn the_fields_page_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/fields.md");
    let page = page();
    if std::env::var_os("OVERWRITE").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/docs")).unwrap();
        std::fs::write(path, &page).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == page, "docs/fields.md is stale: run `OVERWRITE=1 cargo test fields_page`");
}
