//! The two ends of a conversation: `eni-web:443`, `client`, `10.0.0.2:53`, `[2001:db8::1]:80`, `eni-web:1-1024`.

use std::net::IpAddr;

use super::node::{Node, Result, nearest};
use crate::generate::network::Network;
use crate::generate::scenario::{Endpoint, Seat};

/// The family in which both ends have addresses, and the ends.
pub(super) fn read_pair(
    [from, to]: [&[(Node<'_>, String)]; 2],
    families: &[bool],
    node: &Node<'_>,
    network: &Network,
) -> Result<(bool, [Endpoint; 2])> {
    let mut first_error = None;
    for is_v6 in families {
        match (read(from, *is_v6, network), read(to, *is_v6, network)) {
            (Ok(from), Ok(to)) => return Ok((*is_v6, [from, to])),
            (Err(error), _) | (_, Err(error)) => {
                first_error.get_or_insert(error);
            }
        }
    }
    Err(first_error.unwrap_or_else(|| node.error("expected a host")))
}

fn read(items: &[(Node<'_>, String)], is_v6: bool, network: &Network) -> Result<Endpoint> {
    let mut endpoint = Endpoint { places: Vec::new(), ports: None };
    for (place, (node, text)) in items.iter().enumerate() {
        let (name, ports) = split(text);
        let ports = ports.map(|ports| parse_ports(node, ports)).transpose()?;
        if place > 0 && ports != endpoint.ports {
            return Err(node.error("all hosts of a list have the same ports"));
        }
        endpoint.ports = ports;
        endpoint.places.extend(seats(node, name, is_v6, network)?);
    }
    Ok(endpoint)
}

/// The name or address, and the ports behind it.
fn split(text: &str) -> (&str, Option<&str>) {
    if let Some((address, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (address, rest.strip_prefix(':'));
    }
    if text.parse::<IpAddr>().is_ok() {
        return (text, None);
    }
    text.rsplit_once(':').map_or((text, None), |(name, ports)| (name, Some(ports)))
}

fn parse_ports(node: &Node<'_>, text: &str) -> Result<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.parse::<u16>(), last.parse::<u16>()) {
        (Ok(first), Ok(last)) if 0 < first && first <= last => Ok((first, last)),
        _ => Err(node.error(format!(
            "found the port `{text}`, expected one from 1 to 65535, or the first and the last as in `1-1024`"
        ))),
    }
}

fn seats(node: &Node<'_>, name: &str, is_v6: bool, network: &Network) -> Result<Vec<Seat>> {
    if let Ok(address) = name.parse::<IpAddr>() {
        if address.is_ipv6() != is_v6 {
            return Err(node.error("the two ends have no addresses of one family"));
        }
        let interface = network.interface_at(address);
        return if interface.is_some() || network.is_of_host(address) {
            Ok(vec![Seat { interface, first: address, count: 1 }])
        } else {
            Err(node.advised(
                format!("`{address}` is the address of no interface or host"),
                "describe who has it with `[[interface]]` or `[[host]]`",
            ))
        };
    }
    let seats = network.named(name, is_v6);
    if !seats.is_empty() {
        return Ok(seats);
    }
    if network.is_known(name) {
        let family = if is_v6 { "IPv6" } else { "IPv4" };
        return Err(node.error(format!("`{name}` has no {family} address, which the other end needs")));
    }
    let nearest = nearest(network.names(), name);
    let what = format!("`{name}` is no interface or host of the scenario");
    Err(match nearest {
        Some(nearest) => node.advised(what, format!("the nearest name is `{nearest}`")),
        None => node.advised(what, "describe one with `[[interface]]` or `[[host]]`"),
    })
}
