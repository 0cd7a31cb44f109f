//! Where a JSON value ends: enough of the grammar to cut values from a stream, no more.
//!
//! A [`ValueScanner`] is fed the bytes in pieces of any size. It follows strings and brackets, and sees the damage
//! that would let it run on into what follows: a line end in a string, and a value where a comma should be. All else
//! is left to the JSON parser that reads the value.

use std::io;

use super::source::Source;

/// What a piece told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scan {
    /// The value ends after so many bytes of the piece.
    Done(usize),
    /// It goes on.
    More,
    /// This byte of the piece cannot be here.
    Broken(usize),
}

/// What the last byte that is no white space was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// Something that a value or a key follows: the start, `[`, `{`, `,` or `:`.
    Opening,
    /// Part of a number, `true`, `false` or `null`.
    Word,
    /// The end of a string or of brackets.
    Closing,
}

/// Follows one value.
struct ValueScanner {
    depth: u32,
    before: Before,
    in_string: bool,
    escaped: bool,
}

impl ValueScanner {
    fn new() -> Self {
        ValueScanner { depth: 0, before: Before::Opening, in_string: false, escaped: false }
    }

    /// Whether the value is complete if nothing of it follows.
    fn may_end(&self) -> bool {
        self.depth == 0 && self.before == Before::Word
    }

    fn feed(&mut self, piece: &[u8]) -> Scan {
        let mut at = 0;
        while let Some(&byte) = piece.get(at) {
            if self.in_string {
                match self.feed_string(piece.get(at..).unwrap_or_default()) {
                    Scan::Done(length) => at += length,
                    Scan::Broken(more) => return Scan::Broken(at + more),
                    Scan::More => return Scan::More,
                }
                if self.depth == 0 {
                    return Scan::Done(at);
                }
                continue;
            }
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' if self.may_end() => return Scan::Done(at),
                b' ' | b'\t' | b'\r' | b'\n' => {}
                b'"' | b'{' | b'[' => {
                    if self.before != Before::Opening {
                        return Scan::Broken(at);
                    }
                    if byte == b'"' {
                        self.in_string = true;
                    } else {
                        self.depth = self.depth.saturating_add(1);
                    }
                }
                b'}' | b']' | b',' | b':' if self.depth == 0 => {
                    return if self.may_end() { Scan::Done(at) } else { Scan::Broken(at) };
                }
                b'}' | b']' => {
                    self.depth -= 1;
                    self.before = Before::Closing;
                    if self.depth == 0 {
                        return Scan::Done(at + 1);
                    }
                }
                b',' | b':' => self.before = Before::Opening,
                _ => {
                    if self.before == Before::Closing {
                        return Scan::Broken(at);
                    }
                    self.before = Before::Word;
                }
            }
            at += 1;
        }
        Scan::More
    }

    /// Follows a string to its end.
    fn feed_string(&mut self, piece: &[u8]) -> Scan {
        let mut at = usize::from(std::mem::take(&mut self.escaped));
        while let Some(found) = memchr::memchr3(b'"', b'\\', b'\n', piece.get(at..).unwrap_or_default()) {
            at += found;
            match piece.get(at) {
                Some(b'"') => {
                    self.in_string = false;
                    self.before = Before::Closing;
                    return Scan::Done(at + 1);
                }
                Some(b'\\') if at + 1 < piece.len() => at += 2,
                Some(b'\\') => {
                    self.escaped = true;
                    return Scan::More;
                }
                _ => return Scan::Broken(at),
            }
        }
        Scan::More
    }
}

/// A value that was cut from a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// So many of the next bytes are the value; nothing is taken.
    Value(usize),
    /// It is longer than the limit, and was taken.
    Skipped,
    /// The byte that comes so much later cannot be there; what is in front of it is still to be taken.
    Broken(usize),
    /// The source ends within it.
    Ended,
}

/// Finds the end of the value that comes next. A longer one than the limit is skipped without being held.
pub(super) fn cut_value(source: &mut Source, limit: usize) -> io::Result<Cut> {
    let mut scanner = ValueScanner::new();
    let mut searched = 0;
    let mut is_skipping = false;
    loop {
        let piece = source.bytes().get(searched..).unwrap_or_default();
        let length = piece.len();
        match scanner.feed(piece) {
            Scan::Done(end) => {
                let end = searched + end;
                if !is_skipping && end <= limit {
                    return Ok(Cut::Value(end));
                }
                source.consume(end);
                return Ok(Cut::Skipped);
            }
            Scan::Broken(at) => return Ok(Cut::Broken(searched + at)),
            Scan::More => searched += length,
        }
        is_skipping |= searched > limit;
        if is_skipping {
            source.consume(searched);
            searched = 0;
        }
        if !source.fill()? {
            return Ok(match scanner.may_end() {
                true if is_skipping => Cut::Skipped,
                true => Cut::Value(searched),
                false => Cut::Ended,
            });
        }
    }
}

/// Where the value that comes next ends, if that is within so many bytes and nothing in it is damaged; nothing is taken.
pub(super) fn find_value_end(source: &mut Source, limit: usize) -> Option<usize> {
    let mut scanner = ValueScanner::new();
    let mut searched = 0;
    loop {
        let piece = source.bytes().get(searched..).unwrap_or_default();
        let length = piece.len();
        match scanner.feed(piece) {
            Scan::Done(end) => return Some(searched + end).filter(|end| *end <= limit),
            Scan::Broken(_) => return None,
            Scan::More => searched += length,
        }
        if searched > limit || !source.look_ahead(searched + 1) {
            return None;
        }
    }
}

/// Takes white space; the next byte is then looked at, not taken.
pub(super) fn skip_space(source: &mut Source) -> io::Result<Option<u8>> {
    loop {
        let bytes = source.bytes();
        let spaces = bytes.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
        let next = bytes.get(spaces).copied();
        source.consume(spaces);
        if next.is_some() || !source.fill()? {
            return Ok(next);
        }
    }
}

/// Takes everything up to the next line that begins with a bracket; `false` if there is none.
pub(super) fn skip_to_document(source: &mut Source) -> io::Result<bool> {
    loop {
        match memchr::memchr(b'\n', source.bytes()) {
            Some(at) => {
                source.consume(at + 1);
                while source.bytes().is_empty() && source.fill()? {}
                if matches!(source.bytes().first(), Some(b'{' | b'[')) {
                    return Ok(true);
                }
            }
            None => {
                source.consume(source.bytes().len());
                if !source.fill()? {
                    return Ok(false);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_where_they_end_however_they_come() {
        for (text, length) in [
            (r#"{"a":[1,{"b":"}\"]"}]} x"#, 22),
            (r#""\\",1"#, 4),
            (r#""\"" "#, 4),
            ("[] []", 2),
            ("12,", 2),
            ("-1.5e3}", 6),
            ("null]", 4),
            ("true\n", 4),
        ] {
            for step in 1..=text.len() {
                let mut scanner = ValueScanner::new();
                let mut at = 0;
                let end = text.as_bytes().chunks(step).find_map(|piece| {
                    let scan = scanner.feed(piece);
                    let before = at;
                    at += piece.len();
                    match scan {
                        Scan::Done(end) => Some(before + end),
                        Scan::More => None,
                        Scan::Broken(_) => panic!("{text}"),
                    }
                });
                assert_eq!(end, Some(length), "{text} in pieces of {step}");
            }
        }
    }

    #[test]
    fn damage_is_seen_before_it_swallows_what_follows() {
        for (text, at) in [
            ("{\"a\":1\n{\"b\":2}", 7),
            ("{\"a\":\"x\n", 7),
            ("{\"a\":\"x\" \"y\"}", 9),
            ("[[] []]", 4),
            ("[\"a\"1]", 4),
            ("]", 0),
            (",", 0),
        ] {
            assert_eq!(ValueScanner::new().feed(text.as_bytes()), Scan::Broken(at), "{text:?}");
        }
    }
}
