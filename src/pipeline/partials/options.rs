//! What can be counted in parts, and what cannot.

use crate::capture::CaptureInput;
use crate::packet::Timestamp;
use crate::partial::{Opening, PartialKeys, Settings};
use crate::pipeline::{Fragments, MeterOptions, WindowOrigin};

/// An option that looks at more than the packets of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotInParts {
    /// Second sights may be in other parts.
    #[error("`--dedup` has to see all packets in order, and a part cannot know what the others saw")]
    Dedup,
    /// First fragments may be in other parts.
    #[error(
        "`--fragments track` has to see all packets in order, and a part cannot know what the others saw"
    )]
    Fragments,
    /// Every part would have windows of its own.
    #[error("`--window-origin first-packet` gives every part windows of its own, which do not add up")]
    FirstPacket,
    /// Every part would have as many packets.
    #[error("`--count` counts packets of a whole, and a part does not know how many the others have")]
    Count,
    /// The rows hold what the capture says.
    #[error("`--interface-address` tells the direction of records, and partial records are merged first")]
    InterfaceAddress,
}

impl NotInParts {
    /// What to do instead.
    pub const fn hint(self) -> &'static str {
        match self {
            NotInParts::Dedup => "convert all captures in one run to leave second sights out",
            NotInParts::Fragments => "convert all captures in one run to track fragments",
            NotInParts::FirstPacket => {
                "give all parts one time, such as `--window-origin 2026-01-01`, or leave it out"
            }
            NotInParts::Count => "`--from` and `--until` choose packets by their time",
            NotInParts::InterfaceAddress => "give it to `flowtruth merge`",
        }
    }
}

/// What stands in front of the rows that these captures and options give.
///
/// # Errors
/// Where an option looks at more than the packets of a part.
pub fn opening(
    inputs: &[CaptureInput],
    meter: &MeterOptions,
    keys: PartialKeys,
) -> Result<Opening, NotInParts> {
    let origin = match meter.origin {
        WindowOrigin::Epoch => Timestamp::from_nanos(0),
        WindowOrigin::At(time) => time,
        WindowOrigin::FirstPacket => return Err(NotInParts::FirstPacket),
    };
    let refused = [
        (meter.dedup, NotInParts::Dedup),
        (meter.fragments == Fragments::Track, NotInParts::Fragments),
        (meter.count.is_some(), NotInParts::Count),
        (!meter.interface_addresses.is_empty(), NotInParts::InterfaceAddress),
    ];
    if let Some((_, why)) = refused.into_iter().find(|(asked, _)| *asked) {
        return Err(why);
    }
    let settings = Settings {
        interval: meter.interval,
        origin,
        decap: meter.tunnels.to_string(),
        filter: meter.filter.as_ref().map(|filter| filter.expression().to_owned()),
        from: meter.from,
        until: meter.until,
    };
    Ok(Opening { settings, keys, captures: inputs.iter().map(name).collect() })
}

/// A capture's name.
pub(super) fn name(input: &CaptureInput) -> String {
    match input {
        CaptureInput::Path(path) => path.display().to_string(),
        CaptureInput::Reader(name, _) => name.clone(),
        CaptureInput::Openable(openable) => openable.name().to_owned(),
    }
}
