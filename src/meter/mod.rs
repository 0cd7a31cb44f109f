//! IP packets → counters per window and flow key. No I/O but a temporary file for what does not fit
//! the memory, and no clock but the packets' own.
//!
//! The steps of one packet:
//!
//! 1. [`RecentPackets`] says whether the same packet was seen a moment ago, and where.
//! 2. [`EventClock`] moves on with the packet's time, says which windows have closed, and whether the packet
//!    is late for its own.
//! 3. [`FragmentTracker`], if asked, gives a later fragment the ports of its first.
//! 4. A [`Batch`] gathers packets in their packed form, [`Meter`] counts a batch into the tables of its
//!    windows, and hands the tables of a closed window out as [`ClosedWindow`]s, whose flows come in the order
//!    of accounting rule 17.
//!
//! Steps 1 to 3 depend on the order in which packets are read and run in one sequential walk; step 4 does
//! not, and may run elsewhere.

mod batch;
mod clock;
mod duplicates;
mod flow_table;
mod fragments;
mod packed;
mod rekey;
mod sightings;
mod spill;
mod table;
mod windows;

pub use batch::{Batch, Observation};
pub use clock::{EventClock, Placement};
pub use duplicates::RecentPackets;
pub use fragments::FragmentTracker;
pub(crate) use packed::{PackedKey, PackedV4, PackedV6};
pub use rekey::{Keys, PacketFacts, Rekey, Rekeyer, Ruling, Settled};
pub(crate) use sightings::{Family, Lost, Sighting, Sightings};
pub use spill::SpillError;
pub(crate) use table::PackedPacket;
pub use windows::{ClosedWindow, Flow, Meter};
