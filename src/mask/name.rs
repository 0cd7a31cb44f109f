//! Names: pseudonyms of the same shape, by a keyed hash.

use std::fmt::Write as _;

use super::Mask;

/// Endings of file names that say what is in the file.
const ENDINGS: [&str; 14] = [
    ".pcap", ".pcapng", ".cap", ".gz", ".zst", ".xz", ".bz2", ".lz4", ".log", ".txt", ".json", ".ndjson",
    ".parquet", ".toml",
];

/// Kinds of AWS's ids, which name nobody. Another word in front of digits may be somebody's.
const KINDS: [&str; 24] = [
    "acl",
    "cagw",
    "cgw",
    "eigw",
    "eipalloc",
    "eni",
    "fl",
    "i",
    "igw",
    "lgw",
    "nat",
    "op",
    "pcx",
    "pl",
    "rtb",
    "sg",
    "subnet",
    "tgw",
    "tgw-attach",
    "tgw-rtb",
    "vgw",
    "vpc",
    "vpce",
    "vpn",
];

/// As many digits as AWS's ids have today, for those that are made up.
const USUAL: &str = "00000000000000000";

/// Kinds of resources in ARNs.
const RESOURCES: [&str; 7] =
    ["cluster", "container-instance", "instance", "network-interface", "service", "task", "task-definition"];

impl Mask {
    /// The pseudonym of a name, which tells as much as the name's shape: an account of 12 digits, an id of AWS
    /// (`eni-0a1b2c3d`), an ARN, hexadecimal digits, or any other name (`name-` and ten hexadecimal digits). What says
    /// that there is no name (`-`, `unknown`, nothing) stays.
    pub fn name(&self, name: &str) -> String {
        match shape(name) {
            Shape::None => name.to_owned(),
            Shape::Account => {
                let number = self
                    .digest("account", name.as_bytes())
                    .iter()
                    .fold(0_u128, |number, byte| (number << 8 | u128::from(*byte)) % 1_000_000_000_000);
                format!("{number:012}")
            }
            Shape::Arn(arn) => self.arn(arn),
            Shape::Id { prefix, digits } => format!("{prefix}{}", self.digits(name, digits)),
            Shape::Other => format!("name-{}", self.hexadecimal("name", name, 10)),
        }
    }

    /// The pseudonym of a file's path: folders go, endings that say what is in it stay.
    pub fn file(&self, path: &str) -> String {
        if path.is_empty() || path == "-" {
            return path.to_owned();
        }
        let (mut stem, mut ending) = (path, String::new());
        while let Some(found) = ENDINGS.iter().find(|ending| stem.ends_with(**ending)) {
            stem = stem.strip_suffix(found).unwrap_or_default();
            ending.insert_str(0, found);
        }
        format!("file-{}{ending}", self.hexadecimal("file", path, 10))
    }

    /// An ARN: partition, service, Region and the resource's kind stay.
    fn arn(&self, arn: [&str; 6]) -> String {
        let [arn, partition, service, region, account, resource] = arn;
        let mut masked = format!("{arn}:{partition}:{service}:{region}:{}:", self.name(account));
        let mut rest = resource;
        let mut before = None;
        loop {
            let end = rest.find(['/', ':']).unwrap_or(rest.len());
            let (part, behind) = rest.split_at(end);
            // `task-definition/name:3`: the first part is a kind, and the last may be an edition
            let is_kind = before.is_none() && RESOURCES.contains(&part);
            let is_edition =
                before == Some(':') && part.len() <= 6 && part.bytes().all(|byte| byte.is_ascii_digit());
            if is_kind || is_edition {
                masked.push_str(part);
            } else {
                masked.push_str(&self.name(part));
            }
            let mut characters = behind.chars();
            let Some(separator) = characters.next() else { return masked };
            masked.push(separator);
            before = Some(separator);
            rest = characters.as_str();
        }
    }

    /// Other hexadecimal digits for those of a name, with its hyphens where they were.
    fn digits(&self, name: &str, shape: &str) -> String {
        let count = shape.bytes().filter(|byte| *byte != b'-').count();
        let text = self.hexadecimal("name", name, count);
        let mut digits = text.chars();
        shape
            .chars()
            .filter_map(|character| if character == '-' { Some('-') } else { digits.next() })
            .collect()
    }

    /// So many hexadecimal digits for a text of its kind, 64 at most.
    fn hexadecimal(&self, kind: &str, text: &str, count: usize) -> String {
        let mut hexadecimal = String::new();
        for byte in self.digest(kind, text.as_bytes()) {
            let _ = write!(hexadecimal, "{byte:02x}");
        }
        hexadecimal.truncate(count);
        hexadecimal
    }
}

/// What a name looks like.
pub(super) enum Shape<'a> {
    /// No name at all.
    None,
    /// 12 digits.
    Account,
    /// `arn:partition:service:region:account:resource`.
    Arn([&'a str; 6]),
    /// A kind, and hexadecimal digits that may have hyphens; the kind may be missing.
    Id { prefix: &'a str, digits: &'a str },
    /// Anything else.
    Other,
}

pub(super) fn shape(name: &str) -> Shape<'_> {
    if matches!(name, "" | "-" | "unknown") {
        return Shape::None;
    }
    if name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_digit()) {
        return Shape::Account;
    }
    let mut parts = name.splitn(6, ':');
    if let [Some("arn"), Some(partition), Some(service), Some(region), Some(account), Some(resource)] =
        std::array::from_fn(|_| parts.next())
    {
        return Shape::Arn(["arn", partition, service, region, account, resource]);
    }
    let is_digits = |text: &str| {
        (8..=64).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    if is_digits(name) {
        return Shape::Id { prefix: "", digits: name };
    }
    // the longest, so that `tgw-attach-0a1b2c3d` is no `tgw-`
    let kinds =
        KINDS.iter().filter(|kind| name.strip_prefix(**kind).is_some_and(|rest| rest.starts_with('-')));
    if let Some(kind) = kinds.max_by_key(|kind| kind.len()) {
        let (prefix, rest) = name.split_at(kind.len() + 1);
        let digits = if is_digits(rest) { rest } else { USUAL };
        return Shape::Id { prefix, digits };
    }
    // a UUID, or a task's digits and a number behind them
    let is_uuid = (16..=64).contains(&name.len())
        && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'));
    if is_uuid {
        return Shape::Id { prefix: "", digits: name };
    }
    Shape::Other
}
