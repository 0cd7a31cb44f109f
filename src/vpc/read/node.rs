//! A value of a description, and where it stands: so that every error has the file and the path.

use std::iter;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::str::FromStr;

use ipnet::IpNet;
use serde_json_borrow::{ObjectAsVec, Value};

use crate::vpc::rules::parse_cidr;
use crate::vpc::{Place, VpcError};

/// A value and its place.
#[derive(Clone)]
pub(super) struct Node<'a> {
    file: &'a str,
    /// `None` for a whole document.
    step: Option<Rc<Step<'a>>>,
    value: &'a Value<'a>,
}

/// The last step of a path. Paths are put into words only where they are asked for: few of many values are.
struct Step<'a> {
    before: Option<Rc<Step<'a>>>,
    to: To<'a>,
}

/// Where a step leads.
#[derive(Clone, Copy)]
enum To<'a> {
    Member(&'a str),
    Item(usize),
}

pub(super) type Result<T> = std::result::Result<T, VpcError>;

impl<'a> Node<'a> {
    /// A whole document.
    pub(super) fn root(file: &'a str, value: &'a Value<'a>) -> Self {
        Node { file, step: None, value }
    }

    /// Where it stands.
    pub(super) fn place(&self) -> Place {
        let steps = iter::successors(self.step.as_deref(), |step| step.before.as_deref());
        let mut steps: Vec<To<'_>> = steps.map(|step| step.to).collect();
        steps.reverse();
        let mut path = String::new();
        for step in steps {
            match step {
                To::Member(key) if path.is_empty() => path.push_str(key),
                To::Member(key) => path.extend([".", key]),
                To::Item(index) => path.push_str(&format!("[{index}]")),
            }
        }
        Place { file: self.file.to_owned(), path }
    }

    /// An error at this place.
    pub(super) fn error(&self, what: impl Into<String>) -> VpcError {
        VpcError { place: self.place(), what: what.into(), hint: None }
    }

    fn found(&self) -> String {
        let text = match self.value {
            Value::Object(_) => return "an object".to_owned(),
            Value::Array(_) => return "a list".to_owned(),
            other => other.to_string(),
        };
        let cut: String = text.chars().take(60).collect();
        format!("`{}`", cut.trim_matches('"'))
    }

    pub(super) fn expected(&self, what: &str) -> VpcError {
        self.error(format!("found {}, expected {what}", self.found()))
    }

    /// The object's members.
    pub(super) fn object(&self) -> Result<&'a ObjectAsVec<'a>> {
        self.value.as_object().ok_or_else(|| self.expected("an object"))
    }

    fn child(&self, to: To<'a>, value: &'a Value<'a>) -> Node<'a> {
        let step = Step { before: self.step.clone(), to };
        Node { file: self.file, step: Some(Rc::new(step)), value }
    }

    /// A member, where it is there and not null.
    pub(super) fn get(&self, key: &'a str) -> Result<Option<Node<'a>>> {
        let value = self.object()?.get(key).filter(|value| !value.is_null());
        Ok(value.map(|value| self.child(To::Member(key), value)))
    }

    /// A member that has to be there.
    pub(super) fn need(&self, key: &'a str) -> Result<Node<'a>> {
        self.get(key)?.ok_or_else(|| self.error(format!("expected `{key}`, which is not there")))
    }

    /// A list's items; none where it is not there.
    pub(super) fn items(&self, key: &'a str) -> Result<Vec<Node<'a>>> {
        match self.get(key)? {
            None => Ok(Vec::new()),
            Some(list) => list.list(),
        }
    }

    /// Its items.
    pub(super) fn list(&self) -> Result<Vec<Node<'a>>> {
        let Some(list) = self.value.as_array() else { return Err(self.expected("a list")) };
        Ok(list.iter().enumerate().map(|(index, value)| self.child(To::Item(index), value)).collect())
    }

    /// Its text.
    pub(super) fn text(&self) -> Result<String> {
        match self.value {
            Value::Str(text) if !text.is_empty() => Ok(text.clone().into_owned()),
            _ => Err(self.expected("text")),
        }
    }

    /// Its text, which may be written as a whole number too: an account's, a protocol's.
    pub(super) fn text_or_number(&self) -> Result<String> {
        match self.value {
            Value::Number(number) if !number.is_f64() => Ok(number.to_string()),
            _ => self.text(),
        }
    }

    /// A text where it is there; `None` also for an empty one.
    pub(super) fn get_text(&self, key: &'a str) -> Result<Option<String>> {
        match self.get(key)? {
            Some(node) if node.value.as_str() == Some("") => Ok(None),
            Some(node) => node.text().map(Some),
            None => Ok(None),
        }
    }

    /// Text that becomes a value of a record: without white space or control characters.
    pub(super) fn word(&self) -> Result<String> {
        self.without_white_space(self.text()?)
    }

    fn without_white_space(&self, text: String) -> Result<String> {
        let wrong = |c: char| c.is_whitespace() || c.is_control();
        if text.contains(wrong) { Err(self.expected("text without white space")) } else { Ok(text) }
    }

    /// A word that has to be there.
    pub(super) fn need_word(&self, key: &'a str) -> Result<String> {
        self.need(key)?.word()
    }

    /// A word where it is there; an empty one is none.
    pub(super) fn get_word(&self, key: &'a str) -> Result<Option<String>> {
        match self.get(key)? {
            Some(node) if node.value.as_str() == Some("") => Ok(None),
            Some(node) => node.word().map(Some),
            None => Ok(None),
        }
    }

    /// An account's number, with or without quotes.
    pub(super) fn get_account(&self, key: &'a str) -> Result<Option<String>> {
        let Some(node) = self.get(key)? else { return Ok(None) };
        node.without_white_space(node.text_or_number()?).map(Some)
    }

    /// A list of words; none where it is not there.
    pub(super) fn words(&self, key: &'a str) -> Result<Vec<String>> {
        self.items(key)?.iter().map(Node::word).collect()
    }

    /// Something with a form of its own.
    pub(super) fn parse<T: FromStr>(&self, what: &str) -> Result<T> {
        self.text()?.parse().map_err(|_| self.expected(what))
    }

    /// An IPv4 address.
    pub(super) fn ipv4(&self) -> Result<IpAddr> {
        self.parse::<Ipv4Addr>("an IPv4 address").map(IpAddr::V4)
    }

    /// A range.
    pub(super) fn cidr(&self) -> Result<IpNet> {
        parse_cidr(&self.text()?).map_err(|what| self.error(what))
    }

    /// The ranges of a list; none where it is not there.
    pub(super) fn cidrs(&self, key: &'a str) -> Result<Vec<IpNet>> {
        self.items(key)?.iter().map(Node::cidr).collect()
    }

    /// Yes or no; no where it is not there.
    pub(super) fn flag(&self, key: &'a str) -> Result<bool> {
        Ok(self.get_flag(key)?.unwrap_or(false))
    }

    /// Yes or no, where it is there.
    pub(super) fn get_flag(&self, key: &'a str) -> Result<Option<bool>> {
        let Some(node) = self.get(key)? else { return Ok(None) };
        node.value.as_bool().map(Some).ok_or_else(|| node.expected("`true` or `false`"))
    }

    /// A whole number within these bounds, where it is there.
    pub(super) fn integer(&self, key: &'a str, least: i64, most: i64) -> Result<Option<i64>> {
        let Some(node) = self.get(key)? else { return Ok(None) };
        let number = node.value.as_i64().filter(|number| (least..=most).contains(number));
        let expected = || node.expected(&format!("a whole number from {least} to {most}"));
        number.map(Some).ok_or_else(expected)
    }

    /// Refuses members that have no meaning, so that a misspelt one is not passed over.
    pub(super) fn only(&self, known: &[&str]) -> Result<()> {
        for key in self.object()?.keys() {
            if !known.contains(&key) {
                let nearest = known.iter().max_by(|a, b| {
                    strsim::jaro(a, key).total_cmp(&strsim::jaro(b, key)).then_with(|| b.cmp(a))
                });
                let nearest = nearest.map(|near| format!("; the nearest is `{near}`")).unwrap_or_default();
                return Err(self.error(format!("`{key}` has no meaning here{nearest}")));
            }
        }
        Ok(())
    }
}
