//! Descriptions of a VPC → the model: the JSON of the AWS CLI, AWS's `ip-ranges.json`, and the TOML of this program.
//!
//! A document is recognised by its top-level keys, never by the name of its file, with one exception: the output of
//! `get-managed-prefix-list-entries` does not name its list, so the name of the file has to (`pl-….json`). A file may
//! hold several documents one behind the other; a `NextToken` says that the next page is missing, unless it follows.

mod interfaces;
mod lists;
mod network;
mod node;
mod rules;
mod toml;
mod twice;

use std::collections::{HashMap, HashSet};

use serde_json_borrow::Value;

use self::node::{Node, Result};
pub use self::toml::TOML_WORDS;
use super::missing;
use super::model::SecurityGroup;
use super::{Place, Problem, ProblemKind, ServiceRange, VpcError, VpcModel};

/// Reads one kind of document.
type Reader = fn(&mut ModelBuilder, &Node<'_>) -> Result<()>;

/// The top-level key of each kind of document, the command that prints it, and what reads it.
const DOCUMENTS: [(&str, &str, Reader); 13] = [
    ("NetworkInterfaces", "describe-network-interfaces", interfaces::interfaces),
    ("SecurityGroups", "describe-security-groups", rules::security_groups),
    ("SecurityGroupRules", "describe-security-group-rules", rules::security_group_rules),
    ("NetworkAcls", "describe-network-acls", rules::acls),
    ("Subnets", "describe-subnets", network::subnets),
    ("Vpcs", "describe-vpcs", network::vpcs),
    ("RouteTables", "describe-route-tables", network::route_tables),
    ("VpcPeeringConnections", "describe-vpc-peering-connections", network::peerings),
    ("NatGateways", "describe-nat-gateways", network::nat_gateways),
    ("PrefixLists", "describe-prefix-lists", lists::prefix_lists),
    ("Entries", "get-managed-prefix-list-entries", lists::entries),
    ("FlowLogs", "describe-flow-logs", lists::flow_logs),
    ("prefixes", "ip-ranges.json", lists::ip_ranges),
];

/// Gathers the descriptions of a VPC.
#[derive(Debug, Default)]
pub struct ModelBuilder {
    model: VpcModel,
    /// Where each thing is among all of its kind, by its kind and identifier.
    places: HashMap<(&'static str, String), usize>,
    /// Groups as `describe-security-group-rules` has them, rule by rule, and where each is.
    listed_rules: Vec<SecurityGroup>,
    listed_places: HashMap<String, usize>,
    /// The service ranges that are in the model.
    ranges: HashSet<ServiceRange>,
}

impl ModelBuilder {
    /// Takes up a file's text. `file` is its name in messages, and its last part may name a prefix list.
    ///
    /// # Errors
    /// [`VpcError`] where it is neither JSON of the AWS CLI nor this program's TOML, or a value in it cannot be.
    pub fn add(&mut self, file: &str, text: &str) -> std::result::Result<(), VpcError> {
        let text = text.trim_start_matches('\u{feff}');
        match text.trim_start().chars().next() {
            Some('{') => self.add_json(file, text),
            // a TOML may begin with `[vpc]` or `[[interface]]`, a JSON list with neither
            Some('[') if serde_json::from_str::<Value<'_>>(text).is_ok() => Err(VpcError {
                place: Place { file: file.to_owned(), path: String::new() },
                what: "found a list, expected an object as the AWS CLI prints it".to_owned(),
                hint: Some("leave `--query` out of the command that made it".to_owned()),
            }),
            None => Err(VpcError {
                place: Place { file: file.to_owned(), path: String::new() },
                what: "is empty".to_owned(),
                hint: Some("the command that was to fill it has probably failed; run it again".to_owned()),
            }),
            _ => self.add_toml(file, text),
        }
    }

    fn add_json(&mut self, file: &str, text: &str) -> Result<()> {
        let mut unfinished = None;
        for document in serde_json::Deserializer::from_str(text).into_iter::<Value<'_>>() {
            let document = document.map_err(|error| {
                let hint = error.is_eof().then(|| "the file is cut short; make it again".to_owned());
                VpcError {
                    place: Place { file: file.to_owned(), path: String::new() },
                    what: format!("cannot be read as JSON: {error}"),
                    hint,
                }
            })?;
            let root = Node::root(file, &document);
            let members = root.object()?;
            let mut read_as = None;
            for (key, command, read) in DOCUMENTS {
                if members.contains_key(key) {
                    read_as = Some(command);
                    read(self, &root)?;
                }
            }
            let Some(command) = read_as else {
                return Err(unknown_document(&root, members.keys()));
            };
            // what is not the next page leaves the one before without it
            let left = unfinished.take().filter(|(of, _)| *of != command);
            self.model.problems.extend(left.map(|(_, problem)| problem));
            unfinished = match root.get_text("NextToken")? {
                Some(_) => Some((command, next_page_missing(&root.need("NextToken")?, command))),
                None => None,
            };
        }
        self.model.problems.extend(unfinished.map(|(_, problem)| problem));
        Ok(())
    }

    fn add_toml(&mut self, file: &str, text: &str) -> Result<()> {
        let document = toml::parse(text).map_err(|error| {
            let line = error.span().map(|span| {
                let before = text.get(..span.start).unwrap_or_default();
                format!("line {}: ", before.matches('\n').count() + 1)
            });
            VpcError {
                place: Place { file: file.to_owned(), path: String::new() },
                what: format!(
                    "is neither JSON of the AWS CLI nor TOML: {}{}",
                    line.unwrap_or_default(),
                    error.message().lines().next().unwrap_or_default()
                ),
                hint: None,
            }
        })?;
        toml::read(self, &Node::root(file, &toml::as_json(&document)))
    }

    /// The model, with what is missing from it.
    pub fn finish(mut self) -> VpcModel {
        self.take_listed_rules();
        let mut model = self.model;
        missing::look(&mut model);
        model
    }
}

/// What to say of an output that goes on.
fn next_page_missing(token: &Node<'_>, command: &str) -> Problem {
    Problem {
        kind: ProblemKind::Missing,
        place: token.place(),
        what: format!(
            "the rest of the output of `{command}`: it goes on with a next page, which does not follow in the file"
        ),
    }
}

/// What to say of a document without a known key.
fn unknown_document<'a>(root: &Node<'_>, keys: impl Iterator<Item = &'a str>) -> VpcError {
    let keys: Vec<_> = keys.take(5).map(|key| format!("`{key}`")).collect();
    let found = if keys.is_empty() { "nothing".to_owned() } else { keys.join(", ") };
    let commands: Vec<_> = DOCUMENTS.iter().map(|(_, command, _)| format!("`{command}`")).collect();
    let mut error = root.error(format!("found {found}, expected the output of {}", commands.join(", ")));
    error.hint =
        Some("name only the files that describe the VPC; `docs/vpc.md` lists the commands".to_owned());
    error
}

#[cfg(test)]
mod tests;
