//! What lies between the two ends of a conversation, and where on the way its packets are rejected.

use super::interface;
use super::node::{Node, Result, Table};
use crate::generate::network::Network;
use crate::generate::scenario::{Crossing, Endpoint, Middle, Seat, Speech, Template};

/// Reads `nat` and `through`.
pub(super) fn read_middle(table: &Table<'_>, network: &Network, is_v6: bool) -> Result<Middle> {
    let through = table.texts("through")?;
    match (table.get("nat"), through.first()) {
        (None, None) => Ok(Middle::Nothing),
        (Some(node), None) => {
            let nat = interface(&node, &node.text()?, network)?;
            let addresses = network.interfaces.get(nat).map(|interface| interface.addresses.as_slice());
            if addresses.unwrap_or_default().iter().any(|address| address.is_ipv6() == is_v6) {
                return Ok(Middle::Nat(nat));
            }
            let family = if is_v6 { "IPv6" } else { "IPv4" };
            Err(node
                .error(format!("`{}` has no {family} address to put in the client's place", node.text()?)))
        }
        (None, Some(_)) => {
            if let Some((node, _)) = through.get(2) {
                return Err(node.error(
                    "found a third interface, expected one that packets go into and come out of, or two: into the \
                     first, out of the second",
                ));
            }
            let interfaces = through.iter().map(|(node, id)| interface(node, id, network));
            Ok(Middle::Through(interfaces.collect::<Result<_>>()?))
        }
        (Some(node), Some(_)) => Err(node.error("found both `nat` and `through`, expected one of them")),
    }
}

/// Reads `eni-web ingress`: where, and which way.
pub(super) fn read_crossing(table: &Table<'_>, key: &str, network: &Network) -> Result<Option<Crossing>> {
    let Some(node) = table.get(key) else { return Ok(None) };
    let text = node.text()?;
    let (id, egress) = match text.split_once(' ') {
        Some((id, "ingress")) => (id, false),
        Some((id, "egress")) => (id, true),
        _ => return Err(node.expected("an interface and a direction, such as `eni-web ingress`")),
    };
    Ok(Some(Crossing { interface: interface(&node, id, network)?, egress }))
}

/// Refuses conversations of which no flow log would say anything, and those of a host with itself.
pub(super) fn check_ends(table: &Table<'_>, template: &Template) -> Result<()> {
    let Template { from, to, middle, .. } = template;
    let has_interface = |end: &Endpoint| end.places.iter().all(|seat| seat.interface.is_some());
    if !has_interface(from) && !has_interface(to) && *middle == Middle::Nothing {
        let what = "neither end is an interface of the VPC: no flow log would have it";
        let hint = "name an interface as one end, by its `id` or one of its addresses";
        return Err(table.need("from")?.advised(what, hint));
    }
    let between: &[usize] = match middle {
        Middle::Nothing => &[],
        Middle::Nat(nat) => std::slice::from_ref(nat),
        Middle::Through(interfaces) => interfaces,
    };
    let mut ends = from.places.iter().chain(&to.places).filter_map(|seat| seat.interface);
    if ends.any(|end| between.contains(&end)) {
        let key = if table.get("nat").is_some() { "nat" } else { "through" };
        return Err(table
            .need(key)?
            .error("found an interface that is one of the two ends, expected one between them"));
    }
    let is_own = |(from, to): (&Seat, &Seat)| from.interface.is_some() && from.interface == to.interface;
    if pairs(template).any(is_own) {
        return Err(table
            .need("to")?
            .error("both ends are one interface: what a host says to itself is never sent"));
    }
    Ok(())
}

/// Refuses to reject packets where they do not pass.
pub(super) fn check_rejections(table: &Table<'_>, template: &Template, network: &Network) -> Result<()> {
    for (key, crossing) in [("rejected", template.rejected), ("replies-rejected", template.replies_rejected)]
    {
        let Some(crossing) = crossing else { continue };
        for (from, to) in pairs(template) {
            let mut way = way(from, to, &template.middle);
            if key == "replies-rejected" {
                way.reverse();
                way.iter_mut().for_each(|passed| passed.egress = !passed.egress);
            }
            if !way.contains(&crossing) {
                return Err(not_on_the_way(&table.need(key)?, &way, network));
            }
        }
    }
    let is_without_replies = template.speech == Speech::Udp && template.response == 0;
    if template.replies_rejected.is_some() && (template.rejected.is_some() || is_without_replies) {
        return Err(table.need("replies-rejected")?.error("no reply is ever sent in this conversation"));
    }
    Ok(())
}

fn not_on_the_way(node: &Node<'_>, way: &[Crossing], network: &Network) -> crate::generate::ScenarioError {
    let named = |crossing: &Crossing| {
        let id = network.interfaces.get(crossing.interface).map_or("", |interface| interface.id.as_str());
        format!("`{id} {}`", if crossing.egress { "egress" } else { "ingress" })
    };
    let all: Vec<String> = way.iter().map(named).collect();
    let found = node.text().unwrap_or_default();
    node.advised(
        format!("`{found}` is not on the way of every such packet"),
        format!("they pass {}", all.join(", ")),
    )
}

/// The two ends of each copy, as far as they differ.
fn pairs(template: &Template) -> impl Iterator<Item = (&Seat, &Seat)> {
    let (from, to) = (&template.from.places, &template.to.places);
    let all = (from.len() * to.len()) as u64;
    from.iter().cycle().zip(to.iter().cycle()).take(all.min(template.count) as usize)
}

/// What the client's packets pass, in order.
fn way(from: &Seat, to: &Seat, middle: &Middle) -> Vec<Crossing> {
    let (into, out_of) = match middle {
        Middle::Nothing => (None, None),
        Middle::Nat(nat) => (Some(*nat), Some(*nat)),
        Middle::Through(interfaces) => (interfaces.first().copied(), interfaces.last().copied()),
    };
    let passed = [(from.interface, true), (into, false), (out_of, true), (to.interface, false)];
    let passed = passed.into_iter().filter_map(|(at, egress)| Some(Crossing { interface: at?, egress }));
    passed.collect()
}
