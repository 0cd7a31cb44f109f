//! `[capture]` and `[log]`.

use std::net::Ipv4Addr;

use super::interface;
use super::node::{Result, Table};
use crate::generate::network::Network;
use crate::generate::scenario::{CapturePoint, Delivery, Mirror, Placement, SECOND, Skipped};
use crate::record::LogFormat;

/// The fewest bytes of a frame that hold every header that is looked at.
const FEWEST_BYTES: u64 = 96;

/// The same in a mirrored frame.
const FEWEST_MIRRORED: u64 = 160;

/// How many segments a packet of 65,535 bytes can hold at most.
const MOST_SEGMENTS: u64 = 45;

/// Reads `[capture]`; without it everything is captured inside the hosts.
pub(super) fn read_point(root: &Table<'_>, network: &Network) -> Result<CapturePoint> {
    let mut point = CapturePoint {
        at: None,
        placement: Placement::Host,
        snaplen: 0,
        loss: 0.0,
        reorder: 0.0,
        offload: 1,
        mirror: None,
    };
    let Some(node) = root.get("capture") else { return Ok(point) };
    let table = node.table()?;
    table.only(&["at", "placement", "snaplen", "loss", "reorder", "offload", "mirror"])?;
    let at = table.texts("at")?;
    if let (Some(node), true) = (table.get("at"), at.is_empty()) {
        return Err(node
            .error("found an empty list, expected an interface; leave `at` out to capture at each of them"));
    }
    if !at.is_empty() {
        point.at = Some(at.iter().map(|(node, id)| interface(node, id, network)).collect::<Result<_>>()?);
    }
    if let Some(node) = table.get("placement") {
        point.placement = node.word(&[("host", Placement::Host), ("wire", Placement::Wire)])?;
    }
    point.loss = table.share("loss")?;
    point.reorder = table.share("reorder")?;
    point.offload = table.integer("offload", 1..MOST_SEGMENTS, 1)? as u32;
    if let Some(node) = table.get("mirror") {
        let mirror = node.table()?;
        mirror.only(&["vni", "from", "to"])?;
        let address = |key| mirror.need(key)?.parse::<Ipv4Addr>("an IPv4 address");
        point.mirror = Some(Mirror {
            vni: mirror.need("vni")?.integer(0..1 << 24)? as u32,
            outer: [address("from")?, address("to")?],
        });
        if point.offload > 1 {
            return Err(node.error("a mirror has packets as they were sent; leave `offload` out"));
        }
    }
    if let Some(node) = table.get("snaplen") {
        let fewest = if point.mirror.is_some() { FEWEST_MIRRORED } else { FEWEST_BYTES };
        point.snaplen = node.integer(fewest..262_145)? as u32;
    }
    Ok(point)
}

/// AWS's default format.
fn default_format(root: &Table<'_>) -> Result<LogFormat> {
    LogFormat::preset("default").map_err(|error| root.error(error.to_string()))
}

/// Reads `[log]`; without it records are of 600 s and come in order.
pub(super) fn read_delivery(root: &Table<'_>, network: &Network, duration: i64) -> Result<Delivery> {
    let mut delivery = Delivery {
        format: default_format(root)?,
        interval: 600,
        aligned: false,
        lag: 0,
        delay: 0,
        nodata: false,
        skipped: Vec::new(),
    };
    let Some(node) = root.get("log") else { return Ok(delivery) };
    let table = node.table()?;
    table.only(&["interval", "aligned", "lag", "delay", "nodata", "format", "skipped"])?;
    delivery.interval = table.integer("interval", 1..86_401, 600)? as i64;
    delivery.aligned = table.flag("aligned", false)?;
    // AWS allows itself a minute (Flow log records, `start` and `end`)
    delivery.lag = table.integer("lag", 0..61, 0)?;
    delivery.delay = table.seconds("delay", 0)?;
    if delivery.delay > 3600 * SECOND {
        return Err(table.need("delay")?.expected("seconds from 0 to 3600"));
    }
    delivery.nodata = table.flag("nodata", false)?;
    if let Some(node) = table.get("format") {
        let text = node.text()?;
        let format = if text.contains('$') { text.parse() } else { LogFormat::preset(&text) };
        delivery.format = format.map_err(|error| node.error(error.to_string()))?;
    }
    for skipped in table.tables("skipped")? {
        skipped.only(&["interface", "at"])?;
        let node = skipped.need("interface")?;
        let at = skipped.need("at")?;
        let seconds = at.seconds()?;
        if seconds >= duration {
            return Err(at.advised(
                format!("expected a time before the scenario's end, {} s", duration / SECOND),
                "times are seconds since the scenario's begin; `duration` says when it ends",
            ));
        }
        delivery.skipped.push(Skipped { interface: interface(&node, &node.text()?, network)?, at: seconds });
    }
    Ok(delivery)
}
