//! `inspect --vpc`: the model as it was understood, and what is missing from it.

use anstyle::Style;
use flowtruth::vpc::{AclRule, RouteDestination, VpcModel};
use serde::Serialize;

use crate::cli::messages::clean;
use crate::cli::table;

/// One table of the page.
#[derive(Serialize)]
pub struct Section {
    /// What it is of.
    title: &'static str,
    /// The columns.
    columns: &'static [&'static str],
    /// The rows.
    rows: Vec<Vec<String>>,
}

fn or_dash(text: Option<&String>) -> String {
    text.cloned().unwrap_or_else(|| "-".to_owned())
}

fn list<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    if values.is_empty() { "-".to_owned() } else { values.join(" ") }
}

/// The model's tables; those without a row are left out.
pub fn sections(model: &VpcModel) -> Vec<Section> {
    let mut sections = Vec::new();
    let mut add = |title, columns, rows: Vec<Vec<String>>| {
        if !rows.is_empty() {
            sections.push(Section { title, columns, rows });
        }
    };
    let vpcs =
        model.vpcs.iter().map(|vpc| vec![vpc.id.clone(), or_dash(vpc.account.as_ref()), list(&vpc.cidrs)]);
    add("VPCs", &["id", "account", "ranges"], vpcs.collect());
    let subnets = model.subnets.iter().map(|subnet| {
        let named = model.acls.iter().find(|acl| acl.subnets.contains(&subnet.id));
        let acl = named.or_else(|| model.acls.iter().find(|acl| acl.is_default && acl.vpc == subnet.vpc));
        let tables = &model.route_tables;
        let named = tables.iter().find(|table| table.subnets.contains(&subnet.id));
        let routes = named.or_else(|| tables.iter().find(|table| table.is_main && table.vpc == subnet.vpc));
        vec![
            subnet.id.clone(),
            or_dash(subnet.vpc.as_ref()),
            or_dash(subnet.az_id.as_ref()),
            or_dash(acl.map(|acl| &acl.id)),
            or_dash(routes.map(|table| &table.id)),
            list(&subnet.cidrs),
        ]
    });
    add("Subnets", &["id", "vpc", "az-id", "acl", "route table", "ranges"], subnets.collect());
    let interfaces = model.interfaces.iter().map(|interface| {
        let addresses = interface.addresses.iter().map(ToString::to_string);
        vec![
            interface.id.clone(),
            interface.kind.clone(),
            or_dash(interface.subnet.as_ref()),
            interface.mac.map_or_else(|| "-".to_owned(), |mac| mac.to_string()),
            list(&interface.groups),
            list(addresses.chain(interface.prefixes.iter().map(ToString::to_string))),
        ]
    });
    add("Interfaces", &["id", "type", "subnet", "mac", "groups", "addresses"], interfaces.collect());
    let mut rules = Vec::new();
    for group in &model.security_groups {
        for (way, list, egress) in [("ingress", &group.ingress, false), ("egress", &group.egress, true)] {
            let mut row = |text: String| rules.push(vec![group.id.clone(), way.to_owned(), text]);
            match list.as_deref() {
                None => row("not known".to_owned()),
                Some([]) => row("nothing".to_owned()),
                Some(list) => list.iter().for_each(|rule| row(rule.text(egress))),
            }
        }
    }
    add("Security groups", &["id", "direction", "allows"], rules);
    let mut rules = Vec::new();
    for acl in &model.acls {
        for (way, egress) in [("ingress", false), ("egress", true)] {
            let mut own: Vec<&AclRule> = acl.rules.iter().filter(|rule| rule.egress == egress).collect();
            own.sort_by_key(|rule| rule.number);
            rules.extend(own.iter().map(|rule| vec![acl.id.clone(), way.to_owned(), rule.to_string()]));
        }
    }
    add("Network ACLs", &["id", "direction", "rule"], rules);
    let routes = model.route_tables.iter().flat_map(|table| {
        table.routes.iter().map(|route| {
            let destination = match &route.destination {
                RouteDestination::Cidr(cidr) => cidr.to_string(),
                RouteDestination::PrefixList(id) => id.clone(),
            };
            let target = if route.blackhole { "blackhole" } else { route.target.id() };
            vec![table.id.clone(), destination, target.to_owned()]
        })
    });
    add("Routes", &["table", "destination", "target"], routes.collect());
    let lists = model.prefix_lists.iter().map(|known| {
        let cidrs = known.cidrs.as_ref().map_or_else(|| "not known".to_owned(), list);
        vec![known.id.clone(), or_dash(known.name.as_ref()), cidrs]
    });
    add("Prefix lists", &["id", "name", "ranges"], lists.collect());
    let gateways = model.nat_gateways.iter().map(|nat| {
        let kind = if nat.is_regional { "regional" } else { "zonal" };
        vec![nat.id.clone(), kind.to_owned(), list(&nat.interfaces), list(&nat.public_addresses)]
    });
    add("NAT gateways", &["id", "mode", "interfaces", "public addresses"], gateways.collect());
    let peerings = model.peerings.iter().map(|peering| {
        let [one, other] = &peering.regions;
        vec![peering.id.clone(), or_dash(one.as_ref()), or_dash(other.as_ref())]
    });
    add("Peerings", &["id", "region", "region"], peerings.collect());
    let flow_logs = model.flow_logs.iter().map(|log| {
        let interval = log.interval.map_or_else(|| "-".to_owned(), |seconds| seconds.to_string());
        let format = log.format.as_ref().map_or_else(|| "default".to_owned(), ToString::to_string);
        vec![
            log.id.clone(),
            or_dash(log.resource.as_ref()),
            or_dash(log.traffic_type.as_ref()),
            interval,
            format,
        ]
    });
    add("Flow logs", &["id", "resource", "traffic", "interval", "format"], flow_logs.collect());
    if !model.service_ranges.is_empty() {
        let mut counts = std::collections::BTreeMap::<&str, u64>::new();
        for range in &model.service_ranges {
            *counts.entry(&range.service).or_default() += 1;
        }
        let rows = counts.into_iter().map(|(service, count)| vec![service.to_owned(), count.to_string()]);
        add("Services", &["code", "ranges"], rows.collect());
    }
    let problems = model.problems.iter().map(|problem| vec![problem.kind.to_string(), problem.to_string()]);
    add("What is missing", &["kind", "what"], problems.collect());
    sections
}

/// The model for people.
pub fn page(model: &VpcModel) -> String {
    let bold = Style::new().bold();
    let mut page = String::new();
    for Section { title, columns, rows } in sections(model) {
        if !page.is_empty() {
            page.push('\n');
        }
        page.push_str(&format!("{bold}{title}{bold:#}\n"));
        let mut lines = table::plain();
        lines.add_row(columns.iter().map(|column| format!("{column}:")));
        for row in rows {
            lines.add_row(row.iter().map(|cell| clean(cell)));
        }
        page.push_str(&table::text(&lines));
    }
    page
}
