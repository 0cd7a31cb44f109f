//! Conversations whose client has a fixed port: that no two of them are one flow.

use std::collections::HashSet;
use std::net::IpAddr;

use super::node::{Result, Table};
use crate::generate::scenario::Template;

/// How many copies are looked at; whatever clashes behind them is found when it is run.
const LOOKED_AT: u64 = 1 << 16;

/// Both ends of a flow.
type Ends = [(IpAddr, u16); 2];

/// Refuses conversations of one flow: among the copies of a template, and with those before it.
pub(super) fn check(table: &Table<'_>, template: &Template, others: &[Template]) -> Result<()> {
    if template.from.ports.is_none() {
        return Ok(());
    }
    let mut own: HashSet<Ends> = HashSet::new();
    for ends in ends(template) {
        if !own.insert(ends) {
            return Err(table.need("from-port")?.advised(
                format!("of {} conversations several would share one flow: {}", template.count, told(ends)),
                "leave `from-port` out, so that each has a port of its own; or say more `exchanges` in one",
            ));
        }
    }
    let with_fixed_ports =
        others.iter().filter(|other| other.speech == template.speech && other.from.ports.is_some());
    match with_fixed_ports.flat_map(ends).find(|ends| own.contains(ends)) {
        None => Ok(()),
        Some(ends) => Err(table.need("from-port")?.advised(
            format!("another conversation has the same flow: {}", told(ends)),
            "two conversations cannot share a flow; choose another port",
        )),
    }
}

/// The ends of each copy, the same whichever of them begins.
fn ends(template: &Template) -> impl Iterator<Item = Ends> {
    (0..template.count.min(LOOKED_AT)).filter_map(|copy| {
        let client = template.from.station(copy, template.turn + copy, true)?;
        let server = template.to.station(copy, template.turn + copy, false)?;
        let mut ends = [(client.address, client.port), (server.address, server.port)];
        ends.sort_unstable();
        Some(ends)
    })
}

fn told([(one, port), (other, other_port)]: Ends) -> String {
    format!("`{one}`, port {port}, and `{other}`, port {other_port}")
}
