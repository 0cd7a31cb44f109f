//! The ledger: every packet that was read is in a record, or skipped for a named reason.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::packet::{self, Note, SkipReason};

/// How many pairs of places the ledger names at most.
pub(super) const DUPLICATES_NAMED: usize = 1000;

/// What became of the packets of one capture, or of all.
///
/// Invariant (accounting rule 15): `packets_read` is `packets_in_records` plus the sum of `packets_skipped`,
/// and `ip_bytes_read` is `ip_bytes_in_records` plus the sum of `ip_bytes_skipped`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Packets read, of whatever kind.
    pub packets_read: u64,
    /// Packets counted in records.
    pub packets_in_records: u64,
    /// Packets in no record: reason → packets.
    #[serde(serialize_with = "by_reason", deserialize_with = "reasons")]
    pub packets_skipped: BTreeMap<SkipReason, u64>,
    /// Bytes of the frames on the wire, before any cut by a snap length.
    pub frame_bytes_read: u64,
    /// Bytes of the frames that the capture holds.
    pub captured_bytes_read: u64,
    /// IP bytes of all packets in which an IP header was found.
    pub ip_bytes_read: u64,
    /// IP bytes counted in records.
    pub ip_bytes_in_records: u64,
    /// IP bytes of packets that were found to be IP but are in no record: reason → bytes.
    #[serde(serialize_with = "by_reason", deserialize_with = "reasons")]
    pub ip_bytes_skipped: BTreeMap<SkipReason, u64>,
    /// Packets that came after their window had closed; they are in records of their own.
    pub late_packets: u64,
    /// Packets in records that are fragments, of either kind.
    pub fragmented_packets: u64,
    /// Packets in records whose IP length was 0 (segmentation offload), counted by the frame's length.
    pub offloaded_packets: u64,
    /// Packets in records that the snap length cut.
    pub snaplen_cut_packets: u64,
    /// Packets in records that were counted inside an opened tunnel.
    pub decapsulated_packets: u64,
    /// Packets that had been seen a moment before. They are in records, unless `--dedup` skipped them.
    pub suspected_duplicates: u64,
    /// Everything noted about packets in records: note → packets.
    #[serde(serialize_with = "by_note", deserialize_with = "notes")]
    pub notes: Notes,
}

/// The notes that some totals are of.
const FRAGMENTED: &[Note] = &[Note::FragmentFirst, Note::FragmentLater];
const OFFLOADED: &[Note] = &[Note::LengthZero];
const SNAPLEN_CUT: &[Note] = &[Note::SnaplenCut];
const DECAPSULATED: &[Note] = &[Note::Vxlan, Note::Geneve, Note::Gre];

/// Packets that had been kept and are skipped after all, for one reason.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TakenBack {
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) late: u64,
}

/// How many packets each note was made about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes([u64; Note::ALL.len()]);

impl Notes {
    /// The notes that were made, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Note, u64)> + '_ {
        Note::ALL.into_iter().zip(self.0).filter(|(_, packets)| *packets > 0)
    }
}

fn by_reason<S: serde::Serializer>(
    counts: &BTreeMap<SkipReason, u64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(counts.iter().map(|(reason, count)| (reason.to_string(), count)))
}

fn by_note<S: serde::Serializer>(notes: &Notes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(notes.iter().map(|(note, count)| (note.name(), count)))
}

fn reasons<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<SkipReason, u64>, D::Error> {
    let unknown = |name| D::Error::custom(format!("`{name}` is no reason to skip a packet"));
    let counts = BTreeMap::<String, u64>::deserialize(from)?;
    counts
        .into_iter()
        .map(|(name, count)| SkipReason::from_name(&name).map(|reason| (reason, count)).ok_or(unknown(name)))
        .collect()
}

fn notes<'de, D: Deserializer<'de>>(from: D) -> Result<Notes, D::Error> {
    let counts = BTreeMap::<String, u64>::deserialize(from)?;
    match counts.keys().find(|name| !Note::ALL.iter().any(|note| note.name() == *name)) {
        Some(name) => Err(D::Error::custom(format!("`{name}` is no note about packets"))),
        None => Ok(Notes(Note::ALL.map(|note| counts.get(note.name()).copied().unwrap_or_default()))),
    }
}

impl Tally {
    /// A packet was read.
    #[inline]
    pub(super) fn read(&mut self, frame_bytes: u32, captured: usize) {
        self.packets_read += 1;
        self.frame_bytes_read += u64::from(frame_bytes);
        self.captured_bytes_read += captured as u64;
    }

    /// A packet was skipped before an IP header was found in it.
    pub(super) fn skip(&mut self, reason: SkipReason) {
        *self.packets_skipped.entry(reason).or_default() += 1;
    }

    /// An IP packet was skipped.
    pub(super) fn skip_ip(&mut self, reason: SkipReason, ip_length: u32) {
        self.skip(reason);
        let bytes = u64::from(ip_length);
        self.ip_bytes_read += bytes;
        *self.ip_bytes_skipped.entry(reason).or_default() += bytes;
    }

    /// An IP packet goes into a record.
    #[inline]
    pub(super) fn keep(&mut self, ip_length: u32, notes: packet::Notes) {
        let bytes = u64::from(ip_length);
        self.ip_bytes_read += bytes;
        self.ip_bytes_in_records += bytes;
        self.packets_in_records += 1;
        if !notes.is_empty() {
            self.note(notes);
        }
    }

    #[inline]
    fn note(&mut self, made: packet::Notes) {
        if made == packet::Notes::SNAPLEN_CUT {
            // in a capture with a snap length that is nearly every packet
            self.snaplen_cut_packets += 1;
            if let Some(count) = self.notes.0.get_mut(Note::SnaplenCut as usize) {
                *count += 1;
            }
        } else {
            self.note_any(made);
        }
    }

    #[inline(never)]
    fn note_any(&mut self, made: packet::Notes) {
        for note in made.iter() {
            if let Some(count) = self.notes.0.get_mut(note as usize) {
                *count += 1;
            }
        }
        let any = |notes: &[Note]| u64::from(notes.iter().any(|note| made.contains(*note)));
        self.fragmented_packets += any(FRAGMENTED);
        self.offloaded_packets += any(OFFLOADED);
        self.snaplen_cut_packets += any(SNAPLEN_CUT);
        self.decapsulated_packets += any(DECAPSULATED);
    }

    /// Packets in no record.
    pub fn skipped(&self) -> u64 {
        sum(&self.packets_skipped)
    }

    /// Packets that had been kept are skipped after all.
    pub(super) fn take_back(&mut self, reason: SkipReason, notes: packet::Notes, back: TakenBack) {
        let TakenBack { packets, bytes, late } = back;
        self.packets_in_records -= packets;
        self.ip_bytes_in_records -= bytes;
        self.late_packets -= late;
        for note in notes.iter() {
            if let Some(count) = self.notes.0.get_mut(note as usize) {
                *count -= packets;
            }
        }
        let any = |of: &[Note]| if of.iter().any(|note| notes.contains(*note)) { packets } else { 0 };
        self.fragmented_packets -= any(FRAGMENTED);
        self.offloaded_packets -= any(OFFLOADED);
        self.snaplen_cut_packets -= any(SNAPLEN_CUT);
        self.decapsulated_packets -= any(DECAPSULATED);
        *self.packets_skipped.entry(reason).or_default() += packets;
        *self.ip_bytes_skipped.entry(reason).or_default() += bytes;
    }

    /// Adds another. Sums that do not fit stay at the greatest number, so that they cannot balance by chance.
    pub(super) fn add(&mut self, other: &Tally) {
        let add = |to: &mut u64, from: u64| *to = to.saturating_add(from);
        let add_all = |to: &mut BTreeMap<SkipReason, u64>, from: &BTreeMap<SkipReason, u64>| {
            from.iter().for_each(|(reason, count)| add(to.entry(*reason).or_default(), *count));
        };
        add(&mut self.packets_read, other.packets_read);
        add(&mut self.packets_in_records, other.packets_in_records);
        add_all(&mut self.packets_skipped, &other.packets_skipped);
        add(&mut self.frame_bytes_read, other.frame_bytes_read);
        add(&mut self.captured_bytes_read, other.captured_bytes_read);
        add(&mut self.ip_bytes_read, other.ip_bytes_read);
        add(&mut self.ip_bytes_in_records, other.ip_bytes_in_records);
        add_all(&mut self.ip_bytes_skipped, &other.ip_bytes_skipped);
        add(&mut self.late_packets, other.late_packets);
        add(&mut self.fragmented_packets, other.fragmented_packets);
        add(&mut self.offloaded_packets, other.offloaded_packets);
        add(&mut self.snaplen_cut_packets, other.snaplen_cut_packets);
        add(&mut self.decapsulated_packets, other.decapsulated_packets);
        add(&mut self.suspected_duplicates, other.suspected_duplicates);
        self.notes.0.iter_mut().zip(other.notes.0).for_each(|(to, from)| add(to, from));
    }

    fn check(&self) -> Result<(), Imbalance> {
        let ip_bytes_skipped = sum(&self.ip_bytes_skipped);
        let sides = [
            ("packets", self.packets_read, self.packets_in_records, self.skipped()),
            ("IP bytes", self.ip_bytes_read, self.ip_bytes_in_records, ip_bytes_skipped),
        ];
        for (what, read, in_records, skipped) in sides {
            if Some(read) != in_records.checked_add(skipped) {
                return Err(Imbalance { what, read, in_records, skipped });
            }
        }
        Ok(())
    }
}

fn sum(counts: &BTreeMap<SkipReason, u64>) -> u64 {
    counts.values().fold(0, |sum, count| sum.saturating_add(*count))
}

/// All captures together, and what was written of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Total {
    /// The sum over the captures.
    #[serde(flatten)]
    pub tally: Tally,
    /// Records written.
    pub records: u64,
    /// Records written for late packets; part of `records`.
    pub late_records: u64,
    /// Packets whose time was too far ahead of all others to be believed; they are in windows of their own.
    pub unbelieved_times: u64,
    /// With `--fragments track`: later fragments counted with ports `0 0`, because no first was found.
    pub unresolved_fragments: u64,
    /// What the VPC around the captures adds, where one was given.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub vpc: Option<VpcTotal>,
    /// Packets as the written records count them: equal to `packets_in_records`, by another way.
    #[serde(skip)]
    pub(super) written_packets: u64,
    /// IP bytes as the written records count them.
    #[serde(skip)]
    pub(super) written_bytes: u64,
}

/// What a conversion with a VPC counts beside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VpcTotal {
    /// Packets counted once more, in the record of a second interface that they passed.
    pub packets_in_second_records: u64,
    /// Their IP bytes.
    pub ip_bytes_in_second_records: u64,
    /// Packets in records that are of no interface of the VPC; they have the constants that were given.
    pub packets_of_no_known_interface: u64,
    /// Connections judged without their beginning, at each interface that they passed and whose records are written.
    pub connections_judged_mid_stream: u64,
    /// Packets in records whose action could not be decided and is `-`; those of second records too.
    pub packets_undecided: u64,
    /// NODATA records written.
    pub records_nodata: u64,
    /// NODATA records that were not written, because more than 100,000 windows in a row were empty.
    pub records_nodata_left_out: u64,
    /// SKIPDATA records written.
    pub records_skipdata: u64,
    /// Losses told of a capture's interface on which no interface of the VPC was seen, each window once.
    pub losses_of_no_known_interface: u64,
}

/// One capture's part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureTally {
    /// The capture, as it was named.
    pub path: String,
    /// What became of its packets.
    #[serde(flatten)]
    pub tally: Tally,
    /// The time of its earliest packet, RFC 3339.
    pub first_packet: Option<String>,
    /// The time of its latest packet, RFC 3339.
    pub last_packet: Option<String>,
    /// Why reading it ended early, if it did.
    pub error: Option<String>,
}

/// Where packets were seen twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DuplicateSights {
    /// Where they were seen first.
    pub first: String,
    /// Where they were seen again.
    pub second: String,
    /// How many.
    pub packets: u64,
}

/// The ledger of a conversion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// All captures together.
    pub total: Total,
    /// Each capture, in the order of the arguments.
    pub captures: Vec<CaptureTally>,
    /// Where suspected duplicates were seen, the most first.
    pub duplicates: Vec<DuplicateSights>,
}

impl Ledger {
    /// Adds the captures up into the total.
    pub(super) fn add_up(&mut self) {
        let mut tally = Tally::default();
        self.captures.iter().for_each(|capture| tally.add(&capture.tally));
        self.total.tally = tally;
    }

    /// Whether every packet and every IP byte is accounted for.
    ///
    /// # Errors
    /// An [`Imbalance`] is a bug of this program, never the capture's fault.
    pub fn check(&self) -> Result<(), Imbalance> {
        for capture in &self.captures {
            capture.tally.check()?;
        }
        let Total { tally, vpc, written_packets, written_bytes, .. } = &self.total;
        tally.check()?;
        let second = vpc.unwrap_or_default();
        let sides = [
            (
                "packets in records",
                tally.packets_in_records + second.packets_in_second_records,
                *written_packets,
            ),
            (
                "IP bytes in records",
                tally.ip_bytes_in_records + second.ip_bytes_in_second_records,
                *written_bytes,
            ),
        ];
        for (what, read, in_records) in sides {
            if read != in_records {
                return Err(Imbalance { what, read, in_records, skipped: 0 });
            }
        }
        Ok(())
    }
}

/// A ledger that does not add up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the ledger does not add up: {read} {what} read, {in_records} in records and {skipped} skipped; \
     this is a bug in flowtruth, please report it with the capture"
)]
pub struct Imbalance {
    /// What was counted.
    pub what: &'static str,
    /// How much was read.
    pub read: u64,
    /// How much is in records.
    pub in_records: u64,
    /// How much was skipped.
    pub skipped: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_imbalance_is_found_on_either_side() {
        let mut ledger = Ledger { captures: vec![CaptureTally::default()], ..Ledger::default() };
        let tally = &mut ledger.captures[0].tally;
        tally.read(60, 60);
        tally.keep(40, packet::Notes::NONE);
        tally.read(60, 60);
        tally.skip(SkipReason::Ethertype(0x0806));
        ledger.add_up();
        assert!(ledger.check().is_err(), "nothing was written");
        (ledger.total.written_packets, ledger.total.written_bytes) = (1, 40);
        assert_eq!(ledger.check(), Ok(()));
        ledger.captures[0].tally.packets_read += 1;
        assert!(ledger.check().is_err());
    }

    #[test]
    fn json_has_the_promised_names() {
        let mut ledger = Ledger { captures: vec![CaptureTally::default()], ..Ledger::default() };
        ledger.captures[0].path = "a.pcap".to_owned();
        ledger.captures[0].tally.skip(SkipReason::Ethertype(0x0806));
        ledger.add_up();
        let json = serde_json::to_value(&ledger).unwrap();
        assert_eq!(json["captures"][0]["path"], "a.pcap");
        assert_eq!(json["total"]["packets_skipped"]["arp"], 1);
        for name in
            ["packets_read", "packets_in_records", "packets_skipped", "ip_bytes_in_records", "late_packets"]
        {
            assert!(!json["total"][name].is_null() && !json["captures"][0][name].is_null(), "{name}");
        }
        assert_eq!(json["total"]["records"], 0);
    }
}
