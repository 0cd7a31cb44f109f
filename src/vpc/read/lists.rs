//! `describe-prefix-lists`, `get-managed-prefix-list-entries`, `describe-flow-logs`, and AWS's `ip-ranges.json`.

use ipnet::IpNet;

use super::ModelBuilder;
use super::node::{Node, Result};
use crate::vpc::model::{FlowLog, PrefixList, ServiceRange};
use crate::vpc::{Problem, ProblemKind};

pub(super) fn prefix_lists(builder: &mut ModelBuilder, root: &Node<'_>) -> Result<()> {
    for node in root.items("PrefixLists")? {
        // `describe-managed-prefix-lists` has the same key, but no ranges
        let cidrs = node.get("Cidrs")?.map(|_| node.cidrs("Cidrs")).transpose()?;
        builder.put_prefix_list(PrefixList {
            id: node.need_word("PrefixListId")?,
            name: node.get_word("PrefixListName")?,
            cidrs,
            place: node.place(),
        });
    }
    Ok(())
}

/// The entries of a list that only the file's name names.
pub(super) fn entries(builder: &mut ModelBuilder, root: &Node<'_>) -> Result<()> {
    let place = root.place();
    let name = place.file.rsplit(['/', '\\']).next().unwrap_or_default();
    let id = name.split('.').next().filter(|id| id.starts_with("pl-")).map(str::to_owned);
    let mut cidrs = Vec::new();
    for entry in root.items("Entries")? {
        cidrs.push(entry.need("Cidr")?.cidr()?);
    }
    match id {
        Some(id) => builder.put_entries(PrefixList { id, name: None, cidrs: Some(cidrs), place }),
        None => builder.model.problems.push(Problem {
            kind: ProblemKind::Ignored,
            place,
            what: "prefix list entries that do not say of which list; \
                   call the file by the list's identifier, such as `pl-0123456789abcdef0.json`"
                .to_owned(),
        }),
    }
    Ok(())
}

impl ModelBuilder {
    /// Adds a list. Of one whose ranges are not known yet they are taken, so that the name and the ranges may come from
    /// two commands.
    pub(super) fn put_prefix_list(&mut self, list: PrefixList) {
        let known = self.model.prefix_lists.iter_mut().find(|known| known.id == list.id);
        match known {
            Some(known) if known.cidrs.is_none() || list.cidrs.is_none() => {
                known.name = known.name.take().or(list.name);
                if known.cidrs.is_none() {
                    (known.cidrs, known.place) = (list.cidrs, list.place);
                }
            }
            _ => self.put(list),
        }
    }

    /// Adds the entries of a list, which may come in several pages in one file.
    fn put_entries(&mut self, list: PrefixList) {
        let known =
            self.model.prefix_lists.iter_mut().find(|known| {
                known.id == list.id && known.place == list.place && known.place.path.is_empty()
            });
        match known.and_then(|known| known.cidrs.as_mut()) {
            Some(cidrs) => cidrs.extend(list.cidrs.into_iter().flatten()),
            None => self.put_prefix_list(list),
        }
    }

    /// Adds ranges of AWS's services, each once.
    pub(super) fn put_services(&mut self, service: &str, cidrs: impl IntoIterator<Item = IpNet>) {
        for cidr in cidrs {
            let range = ServiceRange { cidr, service: service.to_owned() };
            if self.ranges.insert(range.clone()) {
                self.model.service_ranges.push(range);
            }
        }
    }
}

pub(super) fn flow_logs(builder: &mut ModelBuilder, root: &Node<'_>) -> Result<()> {
    for node in root.items("FlowLogs")? {
        let format = match node.get("LogFormat")? {
            None => None,
            Some(format) => Some(
                format
                    .text()?
                    .parse()
                    .map_err(|error: crate::record::LogFormatError| format.error(error.to_string()))?,
            ),
        };
        let traffic_type = node.get("TrafficType")?;
        let word = traffic_type.as_ref().map(Node::word).transpose()?;
        if let (Some(node), Some(word)) = (&traffic_type, &word)
            && !matches!(word.as_str(), "ALL" | "ACCEPT" | "REJECT")
        {
            return Err(node.error(format!("found `{word}`, expected `ALL`, `ACCEPT` or `REJECT`")));
        }
        let mut tag_fields = Vec::new();
        for field in node.items("TagFieldSpecifications")? {
            let mut keys = Vec::new();
            for key in field.items("TagKeys")? {
                keys.push(key.text()?);
            }
            tag_fields.push((field.need_word("ResourceType")?, keys));
        }
        builder.put(FlowLog {
            id: node.need_word("FlowLogId")?,
            resource: node.get_word("ResourceId")?,
            format,
            interval: node.integer("MaxAggregationInterval", 1, 86_400)?.map(|seconds| seconds as u32),
            traffic_type: word,
            tag_fields,
            place: node.place(),
        });
    }
    Ok(())
}

pub(super) fn ip_ranges(builder: &mut ModelBuilder, root: &Node<'_>) -> Result<()> {
    for (list, member) in [("prefixes", "ip_prefix"), ("ipv6_prefixes", "ipv6_prefix")] {
        for node in root.items(list)? {
            let cidr = node.need(member)?.cidr()?;
            builder.put_services(&node.need_word("service")?, [cidr]);
        }
    }
    Ok(())
}
