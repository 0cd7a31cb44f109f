//! A value of a scenario, and where it stands: so that every error has the file, the line and the column.

use std::ops::Range;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::generate::ScenarioError;

pub(super) type Result<T> = std::result::Result<T, ScenarioError>;

/// The file that a scenario stands in.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    /// Its name in messages.
    pub(super) file: &'a str,
    /// What it holds.
    pub(super) text: &'a str,
}

impl Source<'_> {
    /// An error at a byte.
    pub(super) fn error(&self, offset: usize, what: impl Into<String>) -> ScenarioError {
        ScenarioError::at(self.file, self.text, offset, what.into(), None)
    }
}

/// A table and its place.
#[derive(Clone)]
pub(super) struct Table<'a> {
    source: Source<'a>,
    span: Range<usize>,
    table: &'a DeTable<'a>,
}

/// A value and its place.
#[derive(Clone)]
pub(super) struct Node<'a> {
    source: Source<'a>,
    value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Table<'a> {
    /// A whole document.
    pub(super) fn root(source: Source<'a>, table: &'a Spanned<DeTable<'a>>) -> Self {
        Table { source, span: 0..0, table: table.get_ref() }
    }

    /// An error at the table's beginning.
    pub(super) fn error(&self, what: impl Into<String>) -> ScenarioError {
        self.source.error(self.span.start, what)
    }

    /// The line and the column that it begins at, from 1.
    pub(super) fn begins_at(&self) -> (usize, usize) {
        let ScenarioError { line, column, .. } = self.error("");
        (line, column)
    }

    /// A member, where it is there.
    pub(super) fn get(&self, key: &str) -> Option<Node<'a>> {
        let found = self.table.iter().find(|(name, _)| name.get_ref() == key);
        found.map(|(_, value)| Node { source: self.source, value })
    }

    /// A member that has to be there.
    pub(super) fn need(&self, key: &str) -> Result<Node<'a>> {
        self.get(key).ok_or_else(|| self.error(format!("expected `{key}`, which is not there")))
    }

    /// `[name]` or every `[[name]]`.
    pub(super) fn tables(&self, name: &str) -> Result<Vec<Table<'a>>> {
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(node) if node.value.get_ref().is_table() => Ok(vec![node.table()?]),
            Some(node) => node.items()?.iter().map(Node::table).collect(),
        }
    }

    /// Refuses members that have no meaning, so that a misspelt one is not passed over.
    pub(super) fn only(&self, known: &[&str]) -> Result<()> {
        for (key, _) in self.table {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            let mut error = self.source.error(key.span().start, format!("`{name}` has no meaning here"));
            error.hint = nearest(known.iter().copied(), name)
                .map(|near| format!("the nearest word is `{near}`; `docs/scenarios.md` has all of them"));
            return Err(error);
        }
        Ok(())
    }

    /// Refuses numbers that nothing could hold, wherever they are.
    pub(super) fn check_numbers(&self) -> Result<()> {
        let nodes = self.table.iter().map(|(_, value)| Node { source: self.source, value });
        nodes.into_iter().try_for_each(|node| node.check_numbers())
    }

    /// Where a path leads, as far as it does.
    pub(super) fn offset_of(&self, path: &str) -> Option<usize> {
        let mut found = None;
        let mut table = self.clone();
        for word in path.split('.') {
            let (key, places) = word.split_once('[').unwrap_or((word, ""));
            let Some(mut node) = table.get(key) else { break };
            for place in places.split(['[', ']']).filter_map(|place| place.parse::<usize>().ok()) {
                match node.items().ok().and_then(|items| items.into_iter().nth(place)) {
                    Some(item) => node = item,
                    None => break,
                }
            }
            found = Some(node.value.span().start);
            match node.table() {
                Ok(next) => table = next,
                Err(_) => break,
            }
        }
        found
    }

    /// A number within these bounds, else what stands for it.
    pub(super) fn integer(&self, key: &str, bounds: Range<u64>, default: u64) -> Result<u64> {
        self.get(key).map_or(Ok(default), |node| node.integer(bounds))
    }

    /// Seconds with a fraction, as nanoseconds.
    pub(super) fn seconds(&self, key: &str, default: i64) -> Result<i64> {
        self.get(key).map_or(Ok(default), |node| node.seconds())
    }

    /// A share from 0 to 1.
    pub(super) fn share(&self, key: &str) -> Result<f64> {
        self.get(key).map_or(Ok(0.0), |node| node.share())
    }

    /// Yes or no; `default` where it is not there.
    pub(super) fn flag(&self, key: &str, default: bool) -> Result<bool> {
        let Some(node) = self.get(key) else { return Ok(default) };
        node.value.get_ref().as_bool().ok_or_else(|| node.expected("`true` or `false`"))
    }

    /// Every `[[name]]` of a document, by name.
    pub(super) fn lists(&self) -> impl Iterator<Item = (&'a str, Vec<Table<'a>>)> + use<'a> {
        let source = self.source;
        self.table.iter().filter_map(move |(name, value)| {
            let tables = Node { source, value }.items().ok()?.iter().map(Node::table).collect::<Result<_>>();
            Some((name.get_ref().as_ref(), tables.ok()?))
        })
    }

    /// Text, where it is there.
    pub(super) fn text(&self, key: &str) -> Result<Option<String>> {
        self.get(key).map(|node| node.text()).transpose()
    }

    /// A list of texts; one text stands for a list of one, and no list for an empty one.
    pub(super) fn texts(&self, key: &str) -> Result<Vec<(Node<'a>, String)>> {
        let Some(node) = self.get(key) else { return Ok(Vec::new()) };
        let items = if node.value.get_ref().is_str() { vec![node] } else { node.items()? };
        items.into_iter().map(|item| item.text().map(|text| (item, text))).collect()
    }
}

impl<'a> Node<'a> {
    /// An error at the value.
    pub(super) fn error(&self, what: impl Into<String>) -> ScenarioError {
        self.source.error(self.value.span().start, what)
    }

    /// An error at the value, with advice.
    pub(super) fn advised(&self, what: impl Into<String>, hint: impl Into<String>) -> ScenarioError {
        self.error(what).advised(hint)
    }

    /// What was found in place of what was expected.
    pub(super) fn expected(&self, what: &str) -> ScenarioError {
        let found = match self.value.get_ref() {
            DeValue::Table(_) => "a table".to_owned(),
            DeValue::Array(_) => "a list".to_owned(),
            _ => {
                let text = self.source.text.get(self.value.span()).unwrap_or_default();
                let cut: String = text.chars().take(60).collect();
                format!("`{}`", cut.trim_matches('"'))
            }
        };
        self.error(format!("found {found}, expected {what}"))
    }

    pub(super) fn table(&self) -> Result<Table<'a>> {
        let table = self.value.get_ref().as_table().ok_or_else(|| self.expected("a table"))?;
        Ok(Table { source: self.source, span: self.value.span(), table })
    }

    pub(super) fn items(&self) -> Result<Vec<Node<'a>>> {
        let list = self.value.get_ref().as_array().ok_or_else(|| self.expected("a list"))?;
        Ok(list.iter().map(|value| Node { source: self.source, value }).collect())
    }

    pub(super) fn text(&self) -> Result<String> {
        match self.value.get_ref().as_str() {
            Some(text) if !text.is_empty() => Ok(text.to_owned()),
            _ => Err(self.expected("text")),
        }
    }

    fn check_numbers(&self) -> Result<()> {
        match self.value.get_ref() {
            DeValue::Table(_) => self.table()?.check_numbers(),
            DeValue::Array(_) => self.items()?.iter().try_for_each(Node::check_numbers),
            DeValue::Integer(digits) if i64::from_str_radix(digits.as_str(), digits.radix()).is_err() => {
                Err(self.expected("a number that 64 bits hold"))
            }
            _ => Ok(()),
        }
    }

    /// One of these words.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Result<T> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let all: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
            self.expected(&all.join(" or "))
        })
    }

    /// Something with a form of its own.
    pub(super) fn parse<T: FromStr>(&self, what: &str) -> Result<T> {
        self.text()?.parse().map_err(|_| self.expected(what))
    }

    pub(super) fn integer(&self, bounds: Range<u64>) -> Result<u64> {
        let digits = self.value.get_ref().as_integer();
        let number = digits.and_then(|digits| u64::from_str_radix(digits.as_str(), digits.radix()).ok());
        let last = bounds.end.saturating_sub(1);
        number
            .filter(|number| bounds.contains(number))
            .ok_or_else(|| self.expected(&format!("a whole number from {} to {last}", bounds.start)))
    }

    fn number(&self) -> Option<f64> {
        match self.value.get_ref() {
            DeValue::Integer(digits) => digits.as_str().parse().ok().filter(|_| digits.radix() == 10),
            DeValue::Float(digits) => digits.as_str().parse().ok(),
            _ => None,
        }
    }

    /// Seconds with a fraction, as nanoseconds in whole microseconds.
    pub(super) fn seconds(&self) -> Result<i64> {
        const MOST: f64 = 4_000_000_000.0;
        let seconds = self.number().filter(|seconds| (0.0..=MOST).contains(seconds));
        let seconds = seconds.ok_or_else(|| self.expected("seconds from 0 to 4000000000, such as `0.5`"))?;
        Ok((seconds * 1e6).round() as i64 * 1000)
    }

    pub(super) fn share(&self) -> Result<f64> {
        let share = self.number().filter(|share| (0.0..=1.0).contains(share));
        share.ok_or_else(|| self.expected("a share from 0 to 1, such as `0.02`"))
    }
}

/// The name that is most like another.
pub(super) fn nearest<'n>(names: impl Iterator<Item = &'n str>, name: &str) -> Option<&'n str> {
    names.max_by(|a, b| strsim::jaro(a, name).total_cmp(&strsim::jaro(b, name)).then_with(|| b.cmp(a)))
}
