//! `describe-prefix-lists`, `get-managed-prefix-list-entries`, `describe-flow-logs`, and AWS's `ip-ranges.json`.

use super::ModelBuilder;
use super::node::{Node, Result};
use crate::vpc::model::{FlowLog, PrefixList, ServiceRange};
use crate::vpc::{Problem, ProblemKind};

pub(super) fn prefix_lists(builder: &mut ModelBuilder, root: &Node<'_>) -> Result<()> {
    for node in root.items("PrefixLists")? {
        // `describe-managed-prefix-lists` has the same key, but no ranges
        let cidrs = node.get("Cidrs")?.map(|_| node.cidrs("Cidrs")).transpose()?;
        let list =
            PrefixList { id: node.need_word("PrefixListId")?, name: node.get_word("PrefixListName")?, cidrs };
        builder.merge_prefix_list(list);
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
        Some(id) => builder.merge_prefix_list(PrefixList { id, name: None, cidrs: Some(cidrs) }),
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
    /// Adds a list, or the ranges that were not known yet (an output may come in pages).
    pub(super) fn merge_prefix_list(&mut self, list: PrefixList) {
        let Some(known) = self.model.prefix_lists.iter_mut().find(|known| known.id == list.id) else {
            self.model.prefix_lists.push(list);
            return;
        };
        known.name = known.name.take().or(list.name);
        if let Some(cidrs) = list.cidrs {
            let all = known.cidrs.get_or_insert_default();
            for cidr in cidrs {
                if !all.contains(&cidr) {
                    all.push(cidr);
                }
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
        let flow_log = FlowLog {
            id: node.get_word("FlowLogId")?.unwrap_or_else(|| "-".to_owned()),
            resource: node.get_word("ResourceId")?,
            format,
            interval: node.integer("MaxAggregationInterval", 1, 86_400)?.map(|seconds| seconds as u32),
            traffic_type: word,
            tag_fields,
        };
        builder.model.flow_logs.push(flow_log);
    }
    Ok(())
}

pub(super) fn ip_ranges(builder: &mut ModelBuilder, root: &Node<'_>) -> Result<()> {
    for (list, member) in [("prefixes", "ip_prefix"), ("ipv6_prefixes", "ipv6_prefix")] {
        for node in root.items(list)? {
            let cidr = node.need(member)?.cidr()?;
            builder.model.service_ranges.push(ServiceRange { cidr, service: node.need_word("service")? });
        }
    }
    Ok(())
}
