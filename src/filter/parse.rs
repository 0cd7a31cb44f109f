//! Words read into a chain of tests.
//!
//! ```text
//! chain     := term { ("and" | "or") term }
//! term      := { "not" } ( "(" chain ")" | word test | [qualifiers] value )
//! qualifiers:= [protocol] [direction] [type]          tcp src port, ip6 net, dst, proto
//! value     := address | net | port | range | protocol, or "(" values ")" behind qualifiers
//! ```
//!
//! A value without qualifiers takes those of the term before it, as tcpdump does; behind a word test, or
//! parentheses that held more than values, there are none to take, and an address means `host`.

use super::FilterError;
use super::lex::Word;
use super::program::{Chain, Joint, Side, Term, Test};
use super::value::{self, Kind, Qualifiers};
use super::words;

/// How deep parentheses may be nested, so that no expression overflows the stack.
const DEPTH_LIMIT: usize = 100;

/// Reads the words of a whole expression.
pub(super) fn parse(words: &[Word<'_>]) -> Result<Chain, FilterError> {
    let mut parser = Parser { words, position: 0, end: words.last().map_or(1, |word| word.column) };
    if parser.peek().text.is_empty() {
        return Ok(Chain::default());
    }
    let (chain, _) = parser.chain(Qualifiers::default(), 0)?;
    match parser.peek() {
        Word { text: "", .. } => Ok(chain),
        word => Err(parser.misplaced(word, "`and` or `or`")),
    }
}

struct Parser<'a> {
    words: &'a [Word<'a>],
    position: usize,
    end: usize,
}

impl<'a> Parser<'a> {
    /// The word that is next, empty at the end.
    fn peek(&self) -> Word<'a> {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> Word<'a> {
        self.words.get(self.position + ahead).copied().unwrap_or(Word { text: "", column: self.end })
    }

    /// Takes the next word.
    fn next(&mut self) -> Word<'a> {
        let word = self.peek();
        self.position += 1;
        word
    }

    /// Takes the next word if it is one of these.
    fn take(&mut self, texts: &[&str]) -> bool {
        let found = texts.contains(&self.peek().text);
        self.position += usize::from(found);
        found
    }

    /// Reads terms until a parenthesis closes or the words end; says too whether all were values alone.
    fn chain(&mut self, before: Qualifiers, depth: usize) -> Result<(Chain, bool), FilterError> {
        let mut chain = Chain::default();
        let mut qualifiers = before;
        let mut only_values = true;
        let mut joint = Joint::And;
        loop {
            let negated = self.negations();
            let (term, own) = self.term(qualifiers, depth)?;
            chain.terms.push((joint, negated, term));
            only_values &= own.is_none();
            qualifiers = own.unwrap_or(qualifiers);
            joint = if self.take(&["and", "&&"]) {
                Joint::And
            } else if self.take(&["or", "||"]) {
                Joint::Or
            } else {
                return Ok((chain, only_values));
            };
        }
    }

    /// Takes any number of `not`s; whether they are odd.
    fn negations(&mut self) -> bool {
        let mut negated = false;
        while self.take(&["not", "!"]) {
            negated = !negated;
        }
        negated
    }

    /// Reads a term, and the qualifiers that it leaves behind; `None` where it was values alone, which leave
    /// those before them.
    fn term(&mut self, before: Qualifiers, depth: usize) -> Result<(Term, Option<Qualifiers>), FilterError> {
        let word = self.peek();
        if word.text == "(" {
            self.open(depth)?;
            let (chain, only_values) = self.chain(before, depth + 1)?;
            self.close()?;
            return Ok((Term::Group(chain), (!only_values).then(Qualifiers::default)));
        }
        if let Some(test) = words::test(word.text)
            && !self.qualifies()
        {
            self.position += 1;
            return Ok((Term::Test(test), Some(Qualifiers::default())));
        }
        let start = self.position;
        let qualifiers = self.qualifiers()?;
        if self.position == start {
            // no qualifier: what looks like none of the values either may be a mistyped word
            let value = self.value(before).map_err(|error| match error {
                FilterError::Value { column, word, .. } if value::looks_like_a_word(&word) => {
                    FilterError::Unknown { advice: words::advice(&word), column, word }
                }
                error => error,
            })?;
            return Ok((Term::Test(value), None));
        }
        Ok((self.values(qualifiers, depth)?, Some(qualifiers)))
    }

    /// Whether the next word is a protocol that qualifies what stands behind it.
    fn qualifies(&self) -> bool {
        let behind = self.peek_at(1).text;
        matches!(self.peek().text, "ip" | "ip6" | "tcp" | "udp" | "sctp")
            && (Kind::from_word(behind).is_some() || matches!(behind, "src" | "dst"))
    }

    /// Reads `[protocol] [direction] [type]`; reads nothing where a value stands.
    fn qualifiers(&mut self) -> Result<Qualifiers, FilterError> {
        let first = self.peek();
        let mut qualifiers = Qualifiers::default();
        if self.qualifies() {
            match words::test(self.next().text) {
                Some(Test::Version(version)) => qualifiers.version = Some(version),
                Some(Test::Protocol(_, protocol)) => qualifiers.protocol = Some(protocol),
                _ => {}
            }
        }
        let side = self.side();
        qualifiers.side = side.unwrap_or_default();
        let kind_word = self.peek();
        let kind = Kind::from_word(kind_word.text);
        if let Some(kind) = kind {
            qualifiers.kind = kind;
            self.position += 1;
        }
        let advice = match qualifiers.kind {
            Kind::Host | Kind::Net if qualifiers.protocol.is_some() => {
                "`host` and `net` take no protocol before them: write `tcp and host …`"
            }
            Kind::Port | Kind::PortRange if qualifiers.version.is_some() => {
                "`port` and `portrange` take no IP version before them: write `ip and port …`"
            }
            Kind::Proto if qualifiers.protocol.is_some() || side.is_some() => {
                "`proto` takes only `ip` or `ip6` before it"
            }
            _ => return Ok(qualifiers),
        };
        Err(FilterError::Qualifier { column: first.column, word: first.text.to_owned(), advice })
    }

    /// Reads `src`, `dst`, `src or dst`, `src and dst`.
    fn side(&mut self) -> Option<Side> {
        let (side, other) = match self.peek().text {
            "src" => (Side::Source, "dst"),
            "dst" => (Side::Destination, "src"),
            _ => return None,
        };
        self.position += 1;
        if self.peek_at(1).text != other {
            return Some(side);
        }
        let both = match self.peek().text {
            "or" | "||" => Side::Either,
            "and" | "&&" => Side::Both,
            _ => return Some(side),
        };
        // `src and dst host A` qualifies; in `src A and dst B` a value stands between
        self.position += 2;
        Some(both)
    }

    /// Reads what stands behind qualifiers: a value, or values in parentheses.
    fn values(&mut self, qualifiers: Qualifiers, depth: usize) -> Result<Term, FilterError> {
        let negated = self.negations();
        let term = if self.peek().text == "(" {
            self.open(depth)?;
            let mut chain = Chain::default();
            let mut joint = Joint::And;
            loop {
                let negated = self.negations();
                chain.terms.push((joint, negated, self.values(qualifiers, depth + 1)?));
                joint = if self.take(&["and", "&&"]) {
                    Joint::And
                } else if self.take(&["or", "||"]) {
                    Joint::Or
                } else {
                    break;
                };
            }
            self.close()?;
            Term::Group(chain)
        } else {
            Term::Test(self.value(qualifiers)?)
        };
        Ok(if negated { Term::Group(Chain { terms: vec![(Joint::And, true, term)] }) } else { term })
    }

    fn open(&mut self, depth: usize) -> Result<(), FilterError> {
        let word = self.next();
        if depth >= DEPTH_LIMIT {
            return Err(FilterError::TooDeep { column: word.column, limit: DEPTH_LIMIT });
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), FilterError> {
        match self.next() {
            Word { text: ")", .. } => Ok(()),
            word => Err(self.misplaced(word, "`and`, `or` or `)`")),
        }
    }

    /// Reads one value of the qualifiers' kind.
    fn value(&mut self, qualifiers: Qualifiers) -> Result<Test, FilterError> {
        let word = self.next();
        let expected = match qualifiers.kind {
            Kind::Host => "an IP address",
            Kind::Net => "a network such as `10.0.0.0/8`",
            Kind::Port => "a port",
            Kind::PortRange => "a range of ports such as `8000-8080`",
            Kind::Proto => "a protocol",
        };
        let known_name = match qualifiers.kind {
            Kind::Proto => words::protocol(word.text).is_some(),
            Kind::Port => words::port(word.text).is_some(),
            _ => false,
        };
        if !known_name {
            if let Some(reason) = words::unsupported(word.text) {
                return Err(FilterError::Unsupported {
                    column: word.column,
                    word: word.text.to_owned(),
                    reason,
                });
            }
            if words::is_known(word.text) || matches!(word.text, "" | "(" | ")" | "!" | "&&" | "||") {
                return Err(self.misplaced(word, expected));
            }
        }
        let mask = (qualifiers.kind == Kind::Net && self.take(&["mask"])).then(|| self.next());
        value::test(word, mask, qualifiers)
    }

    /// A word that cannot stand where it stands.
    fn misplaced(&self, word: Word<'_>, expected: &'static str) -> FilterError {
        let found = if word.text.is_empty() { "the end".to_owned() } else { format!("`{}`", word.text) };
        FilterError::Misplaced { column: word.column, found, expected }
    }
}
