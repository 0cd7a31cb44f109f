//! Lines that break parsers of flow logs.

use super::{LineCase, Should};

/// An ordinary record of the default format.
const ORDINARY: &str =
    "2 123456789012 eni-0a1b2c3d 203.0.113.5 10.0.1.10 40000 443 6 12 3400 1768467610 1768467669 ACCEPT OK";

/// Another, which stands in front of a line in question or behind it.
const OTHER: &str =
    "2 123456789012 eni-0a1b2c3d 10.0.1.10 203.0.113.5 443 40000 6 9 8100 1768467610 1768467669 ACCEPT OK";

/// The header line of the default format.
const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";

/// The ordinary record with one of its values, from 1, exchanged.
fn with(place: usize, value: &str) -> Vec<u8> {
    let values = ORDINARY.split(' ').enumerate();
    let values: Vec<&str> = values.map(|(at, old)| if at + 1 == place { value } else { old }).collect();
    line(&values.join(" "))
}

fn line(text: &str) -> Vec<u8> {
    [text.as_bytes(), b"\n"].concat()
}

fn text(lines: &[&str]) -> Vec<u8> {
    lines.iter().flat_map(|text| line(text)).collect()
}

/// Every case.
pub fn lines() -> Vec<LineCase> {
    let mut cases = accepted();
    cases.extend(null());
    cases.extend(rejected());
    cases.extend(rejected_shapes());
    for (number, case) in (1..).zip(&mut cases) {
        case.file = format!("lines/{number:02}-{}.log", case.file);
    }
    cases
}

fn accept(name: &str, what: &'static str, records: u64, bytes: Vec<u8>) -> LineCase {
    LineCase { file: name.to_owned(), what, should: Should::Accept, records, null: Vec::new(), bytes }
}

fn accepted() -> Vec<LineCase> {
    vec![
        accept("ordinary", "nothing; a parser that refuses this one refuses all", 1, line(ORDINARY)),
        accept("no-line-end", "the last line has no line end", 1, ORDINARY.as_bytes().to_vec()),
        accept("crlf", "the lines end with CR LF", 2, format!("{ORDINARY}\r\n{OTHER}\r\n").into_bytes()),
        accept("header", "a header line comes first, as in files on S3", 1, text(&[HEADER, ORDINARY])),
        accept(
            "header-again",
            "a header line stands in the middle, where files were joined",
            2,
            text(&[HEADER, ORDINARY, HEADER, OTHER]),
        ),
        accept(
            "other-order",
            "the header names other fields in another order",
            1,
            text(&["bytes srcaddr dstaddr protocol", "3400 203.0.113.5 10.0.1.10 6"]),
        ),
        accept("ipv6", "an address is IPv6, shortened", 1, with(4, "2001:db8::5")),
        accept("ipv6-mapped", "an IPv6 address ends with an IPv4 address", 1, with(4, "::ffff:203.0.113.5")),
        accept(
            "icmp",
            "ICMP has the ports 0 and 0, which are values",
            1,
            line(
                "2 123456789012 eni-0a1b2c3d 203.0.113.5 10.0.1.10 0 0 1 4 336 1768467610 1768467669 REJECT OK",
            ),
        ),
        accept("protocol-255", "a protocol number that has no name", 1, with(8, "255")),
        accept(
            "account-unknown",
            "the account is the word `unknown`, as of service interfaces",
            1,
            with(2, "unknown"),
        ),
        accept("large-counters", "bytes need 64 bits", 1, with(10, "9223372036854775807")),
        accept(
            "beyond-doubles",
            "bytes are not exact as a double: an even neighbour is wrong",
            1,
            with(10, "9007199254740993"),
        ),
        accept("one-second", "the first and last packet are in one second", 1, with(12, "1768467610")),
        accept(
            "flags-zero",
            "`tcp-flags` is 0, which is a value: no SYN, FIN or RST in the window",
            1,
            text(&["srcaddr dstaddr protocol tcp-flags", "203.0.113.5 10.0.1.10 6 0"]),
        ),
        accept(
            "tag",
            "a tag's value is percent-encoded and is not to be taken for several",
            1,
            text(&["srcaddr instance-tag", "203.0.113.5 web%20server%3A%201"]),
        ),
        accept("empty", "an empty file: no record, no error", 0, Vec::new()),
        accept("blank-lines", "blank lines are no records", 1, text(&["", ORDINARY, ""])),
    ]
}

fn null() -> Vec<LineCase> {
    let case = |name: &str, what, null: &[&'static str], bytes| LineCase {
        should: Should::Null,
        null: null.to_vec(),
        ..accept(name, what, 1, bytes)
    };
    const TRAFFIC: [&str; 8] =
        ["srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets", "bytes", "action"];
    vec![
        case(
            "nodata",
            "NODATA: a window without traffic has no addresses and no numbers",
            &TRAFFIC,
            line("2 123456789012 eni-0a1b2c3d - - - - - - - 1768467610 1768467669 - NODATA"),
        ),
        case(
            "skipdata",
            "SKIPDATA: records were lost; neither is this traffic of 0 bytes",
            &TRAFFIC,
            line("2 123456789012 eni-0a1b2c3d - - - - - - - 1768467610 1768467669 - SKIPDATA"),
        ),
        case(
            "no-bytes",
            "bytes are `-`, as of what VPC Block Public Access refuses",
            &["bytes"],
            with(10, "-"),
        ),
        case(
            "no-interface",
            "the interface is `-`, as of regional NAT gateways",
            &["interface-id"],
            with(3, "-"),
        ),
        case(
            "udp-flags",
            "UDP has no TCP flags",
            &["tcp-flags"],
            text(&["srcaddr dstaddr protocol tcp-flags", "203.0.113.5 10.0.1.10 17 -"]),
        ),
        case(
            "ingress-path",
            "what comes in has no path",
            &["traffic-path"],
            text(&["srcaddr flow-direction traffic-path", "203.0.113.5 ingress -"]),
        ),
    ]
}

fn reject(name: &str, what: &'static str, bytes: Vec<u8>) -> LineCase {
    // the record behind it has to be read all the same
    let bytes = [bytes, line(OTHER)].concat();
    LineCase { should: Should::Reject, ..accept(name, what, 1, bytes) }
}

fn rejected() -> Vec<LineCase> {
    vec![
        reject("port-too-large", "a port has 16 bits", with(6, "65536")),
        reject("port-name", "a port is a number", with(7, "https")),
        reject("port-hexadecimal", "a number is decimal", with(7, "0x1bb")),
        reject("protocol-too-large", "a protocol has 8 bits", with(8, "256")),
        reject("protocol-name", "a protocol is a number", with(8, "tcp")),
        reject("address-too-large", "a part of an address has 8 bits", with(4, "203.0.113.256")),
        reject("address-short", "an IPv4 address has four parts", with(4, "203.0.113")),
        reject("address-zone", "an address has no zone", with(4, "fe80::1%eth0")),
        reject("address-name", "an address is no name", with(4, "client.example")),
        reject("negative", "counts are not negative", with(9, "-12")),
        reject("fraction", "counts have no fraction", with(10, "3400.5")),
        reject("separators", "numbers have no separators", with(10, "3,400")),
        reject("exponent", "numbers have no exponent", with(10, "34e2")),
        reject("overflow", "a count that 64 bits do not hold", with(10, "18446744073709551616")),
        reject("time-overflow", "a time that 64 bits do not hold", with(11, "99999999999999999999")),
        reject("other-digits", "digits of another script", with(10, "\u{ff13}\u{ff14}\u{ff10}\u{ff10}")),
        reject("nul", "a zero byte in a value", with(3, "eni-0a1b\u{0}2c3d")),
        reject("action-other", "no such action", with(13, "DROP")),
        reject("status-other", "no such status", with(14, "GONE")),
    ]
}

fn rejected_shapes() -> Vec<LineCase> {
    let [mut broken, comma] = [ORDINARY.as_bytes().to_vec(), ORDINARY.replace(' ', ",").into_bytes()];
    // in the middle of the interface's name
    if let Some(byte) = broken.get_mut(22) {
        *byte = 0xff;
    }
    broken.push(b'\n');
    let long: String = std::iter::repeat_n('9', 1 << 20).collect();
    vec![
        reject(
            "too-few",
            "a value is missing",
            line(ORDINARY.rsplit_once(' ').map_or("", |(front, _)| front)),
        ),
        reject("too-many", "a value too many", line(&format!("{ORDINARY} 7"))),
        reject("cut", "the line is cut", line(ORDINARY.get(..70).unwrap_or_default())),
        reject("commas", "commas in place of spaces", [comma, b"\n".to_vec()].concat()),
        reject("not-utf-8", "a byte that is no UTF-8", broken),
        reject("long", "a number of a mebibyte", with(10, &long)),
    ]
}
