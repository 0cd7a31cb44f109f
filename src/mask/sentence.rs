//! Sentences: what in them is an address or a name, masked where it stands.
//!
//! A sentence of this program has words of its own, and between them what a capture, a log or the description of a VPC said.
//! Those are told by their form (addresses, ranges, ids of AWS), by being known, or by the backticks around them. In doubt a
//! word is masked.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};

use super::Mask;
use super::name::{Shape, shape};
use crate::record::Field;

/// Words that stand in backticks and name nobody.
const OWN: [&str; 12] =
    ["-", "ACCEPT", "REJECT", "OK", "NODATA", "SKIPDATA", "ingress", "egress", "tcp", "udp", "icmp", "all"];

/// Names that may stand in a sentence without any mark.
#[derive(Clone, Debug, Default)]
pub struct KnownNames {
    /// Those of one word.
    words: HashSet<String>,
    /// Those of several, or with signs in them; longer ones first. And whether each is the path of a file.
    others: Vec<(String, bool)>,
}

impl KnownNames {
    /// Names, and paths of files.
    pub fn new<N: AsRef<str>, P: AsRef<str>>(
        names: impl IntoIterator<Item = N>,
        paths: impl IntoIterator<Item = P>,
    ) -> KnownNames {
        let mut known = KnownNames::default();
        for name in names {
            let name = name.as_ref();
            if !name.is_empty() && name.chars().all(is_inside) {
                known.words.insert(name.to_owned());
            } else if !name.is_empty() {
                known.others.push((name.to_owned(), false));
            }
        }
        let paths = paths.into_iter().map(|path| (path.as_ref().to_owned(), true));
        known.others.extend(paths.filter(|(path, _)| !path.is_empty()));
        known.others.sort_by(|(one, _), (other, _)| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        known.others.dedup();
        known
    }

    /// The first of those that are no words, the longest of those that begin at one place: before it, it, behind it.
    fn cut<'t>(&self, text: &'t str) -> Option<(&'t str, &'t str, bool, &'t str)> {
        let found = self.others.iter().filter_map(|(name, is_path)| {
            let at = text.match_indices(name.as_str()).map(|(at, _)| at).find(|at| {
                let is_part = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
                let before = text.get(..*at).and_then(|before| before.chars().next_back());
                let behind = text.get(at + name.len()..).and_then(|behind| behind.chars().next());
                !is_part(before) && !is_part(behind)
            })?;
            Some((at, name.len(), *is_path))
        });
        let (at, length, is_path) = found.min_by_key(|(at, length, _)| (*at, usize::MAX - length))?;
        Some((text.get(..at)?, text.get(at..at + length)?, is_path, text.get(at + length..)?))
    }
}

/// What words are made of.
fn is_inside(character: char) -> bool {
    character.is_alphanumeric() || "._:-/[]%@+=".contains(character)
}

impl Mask {
    /// A sentence with its addresses and names masked.
    pub fn sentence(&self, text: &str, known: &KnownNames) -> String {
        let mut masked = String::with_capacity(text.len());
        let (mut rest, mut is_quoted) = (text, false);
        while let Some((before, name, is_path, behind)) = known.cut(rest) {
            self.pieces(before, &mut is_quoted, known, &mut masked);
            masked.push_str(&if is_path { self.file(name) } else { self.name(name) });
            rest = behind;
        }
        self.pieces(rest, &mut is_quoted, known, &mut masked);
        masked
    }

    /// Words, and what stands between backticks, which may have begun before.
    fn pieces(&self, text: &str, is_quoted: &mut bool, known: &KnownNames, masked: &mut String) {
        for (place, piece) in text.split('`').enumerate() {
            if place > 0 {
                masked.push('`');
                *is_quoted = !*is_quoted;
            }
            if *is_quoted {
                masked.push_str(&self.quoted(piece, known));
            } else {
                self.words(piece, known, masked);
            }
        }
    }

    fn quoted(&self, text: &str, known: &KnownNames) -> String {
        let is_own = text.starts_with("--")
            || OWN.contains(&text)
            || Field::from_name(text).is_ok()
            || text.bytes().all(|byte| byte.is_ascii_digit())
                && !known.words.contains(text)
                && text.len() != 12;
        if is_own {
            return text.to_owned();
        }
        let ending_tells = text.contains('/') && text.parse::<SocketAddr>().is_err() && !is_range(text);
        match self.by_form(text) {
            Some(masked) => masked,
            None if ending_tells || text.contains('.') => self.file(text),
            None => self.name(text),
        }
    }

    fn words(&self, text: &str, known: &KnownNames, masked: &mut String) {
        let mut rest = text;
        while !rest.is_empty() {
            let start = rest.find(is_inside).unwrap_or(rest.len());
            let (between, from) = rest.split_at(start);
            masked.push_str(between);
            let end = from.find(|character| !is_inside(character)).unwrap_or(from.len());
            let (word, behind) = from.split_at(end);
            masked.push_str(&self.word(word, known));
            rest = behind;
        }
    }

    fn word(&self, word: &str, known: &KnownNames) -> String {
        if known.words.contains(word) {
            return self.name(word);
        }
        if let Some(masked) = self.by_form(word) {
            return masked;
        }
        // the end of a sentence, or of its first part
        let bare = word.trim_end_matches(['.', ':', ']']);
        let mark = word.strip_prefix(bare).unwrap_or_default();
        if mark.is_empty() { word.to_owned() } else { format!("{}{mark}", self.word(bare, known)) }
    }

    /// What is masked by its form alone, wherever it stands.
    fn by_form(&self, word: &str) -> Option<String> {
        if let Ok(address) = word.parse::<IpAddr>() {
            return Some(self.address(address).to_string());
        }
        if let Ok(end) = word.parse::<SocketAddr>() {
            return Some(SocketAddr::new(self.address(end.ip()), end.port()).to_string());
        }
        if let Some((first, bits)) = word.split_once('/') {
            return match (first.parse::<IpAddr>(), bits.parse::<u8>()) {
                (Ok(first), Ok(bits)) => Some(format!("{}/{bits}", self.network(first, bits))),
                // a flow's end and its protocol, or an address and what belongs to it
                _ => self.by_form(first).map(|first| format!("{first}/{bits}")),
            };
        }
        if let Some(address) = hardware(word) {
            let bytes = self.hardware(address).map(|byte| format!("{byte:02x}"));
            return Some(bytes.join(":"));
        }
        match shape(word) {
            // digits alone are a count
            Shape::Id { prefix: "", digits } if digits.bytes().all(|byte| byte.is_ascii_digit()) => None,
            Shape::Account | Shape::Arn(_) | Shape::Id { .. } => Some(self.name(word)),
            Shape::None | Shape::Other => None,
        }
    }
}

fn is_range(text: &str) -> bool {
    text.split_once('/')
        .is_some_and(|(first, bits)| first.parse::<IpAddr>().is_ok() && bits.parse::<u8>().is_ok())
}

/// A MAC address with colons.
fn hardware(word: &str) -> Option<[u8; 6]> {
    let mut bytes = [0; 6];
    let mut parts = word.split(':');
    for byte in &mut bytes {
        *byte = u8::from_str_radix(parts.next().filter(|part| part.len() == 2)?, 16).ok()?;
    }
    parts.next().is_none().then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "5b1f0c6d7e8a99aa0b1c2d3e4f506172839405a6b7c8d9eafb0c1d2e3f405162";

    fn mask() -> Mask {
        Mask::new(&KEY.parse().unwrap())
    }

    #[test]
    fn nothing_that_names_somebody_is_left() {
        let known = KnownNames::new(
            ["web", "sg-hosts", "acme!sg", "acl(prod)", "Größe!acme`x"],
            ["acme`corp secret.pcap", "--acme-secret.pcap"],
        );
        let mask = mask();
        for (text, secrets) in [
            ("sg-hosts ingress tcp 22 from 203.0.113.0/24", &["hosts", "203.0.113"][..]),
            ("a SYN of 203.0.113.5:4000 > [2001:db8::7]:443 tcp.", &["203.0.113", "2001:db8::7"]),
            ("the rules refuse it at `my host` (web no ingress rule)", &["my host", "web"]),
            (
                "`eni-0a1b2c3d4e5f60718` of 123456789012: 02:00:5e:10:00:07",
                &["0a1b2c3d", "123456789012", "5e:10:00:07"],
            ),
            ("cannot read `/home/alice/acme.pcap`: it is cut", &["alice", "acme"]),
            ("from 198.51.100.9.", &["198.51.100.9"]),
            ("192.0.2.1:5/tcp came later", &["192.0.2.1"]),
            ("reply of acme!sg ingress tcp 443 from 0.0.0.0/0; acl(prod) rule 120 deny", &["acme", "prod"]),
            ("Größe!acme`x egress all", &["Größe", "acme"]),
            ("`acme`corp secret.pcap`: packet 3 at byte 240: it is cut", &["acme", "corp", "secret"]),
            ("`--acme-secret.pcap`: it is cut", &["acme", "secret"]),
            ("an odd ` quote and 192.0.2.77", &["192.0.2.77"]),
        ] {
            let masked = mask.sentence(text, &known);
            for secret in secrets {
                assert!(!masked.contains(secret), "{secret} in {masked}");
            }
            assert_eq!(
                masked.split_whitespace().count() > 1,
                text.split_whitespace().count() > 1,
                "{masked}"
            );
        }
    }

    #[test]
    fn words_of_the_program_stay() {
        for text in [
            "the log has 12 packets and 840 bytes more, `bytes` differ by 14 a packet",
            "`ACCEPT` by the rules; choose one with `--only-interface`, or use `--dedup`",
            "segments of 1448 bytes: 34 packets became 6 records at 2025-06-15T12:00:05Z",
        ] {
            assert_eq!(mask().sentence(text, &KnownNames::default()), text);
        }
    }

    #[test]
    fn what_is_said_of_a_masked_file_stays() {
        let known = KnownNames::new([""; 0], ["acme`corp secret.pcap"]);
        let masked = mask().sentence("`acme`corp secret.pcap`: packet 3 at byte 240: it is cut", &known);
        let file = mask().file("acme`corp secret.pcap");
        assert_eq!(masked, format!("`{file}`: packet 3 at byte 240: it is cut"));
    }

    #[test]
    fn a_name_has_one_mask_wherever_it_stands() {
        let mask = mask();
        let sentence = mask.sentence("acl-0a1b2c3d denies 10.0.0.10 at `eni-host`", &KnownNames::default());
        let (acl, interface) = (mask.name("acl-0a1b2c3d"), mask.name("eni-host"));
        let address = mask.address("10.0.0.10".parse().unwrap());
        assert_eq!(sentence, format!("{acl} denies {address} at `{interface}`"));
    }
}
