//! A first look at the packets: which flows agree with their records to the letter.
//!
//! Metering every flow by the second does not scale, so packets are metered straight into the records' own spans;
//! single seconds are kept only where two records share one. Flows in which everything fits that way are settled, the
//! others are read again by the second. A sample of the flows is kept by the second at once, for the clock offset.

use std::collections::HashSet;
use std::sync::mpsc::{channel, sync_channel};
use std::thread;

use foldhash::fast::FixedState;

use super::capture_side::{Cells, add, cell, in_order};
use super::counts::{Counts, Packet};
use super::flow_index::{FlowHash, FlowIndex};
use super::log_flows::LogFlows;
use super::partition::Partition;
use super::walk::{Seen, TakeSeen, Walked, walk};
use crate::capture::CaptureInput;
use crate::decode::{Tunnels, decode};
use crate::diff::{Cell, Claim, ClockOffset, LARGE_FLOW, OffsetVotes, Sides, Tolerance, fits_exactly};
use crate::flow::FlowKey;
use crate::packet::{CapturedPacket, Protocol};
use crate::pipeline::{MeterOptions, Progress};

/// How many packets are handed to the counting thread at once.
const BATCH: usize = 1024;

/// How many batches may wait for it.
const QUEUE: usize = 32;

/// How many flows are kept by the second for the clock offset, at most about.
const SAMPLE: usize = 2048;

/// The records of a share of the flows, to be screened.
pub(super) struct Screen<'a> {
    pub(super) log: &'a LogFlows,
    /// The share of the flows that is looked at.
    pub(super) partition: Partition,
    /// What the records' clock is ahead of the packets', in seconds.
    pub(super) shift: i64,
    pub(super) tolerance: &'a Tolerance,
    /// Flows of packets that are settled already.
    pub(super) settled: &'a HashSet<FlowKey, FixedState>,
    /// Records with another action than the VPC's rules come to: their flows, and their lines.
    pub(super) contradicted: &'a HashSet<(FlowKey, u64)>,
}

/// What was learnt of the share's flows.
#[derive(Debug, Default)]
pub(super) struct Screened {
    pub(super) walked: Walked,
    /// Whether each flow of the log agrees, so that none of its packets or records needs another look.
    pub(super) is_settled: Vec<bool>,
    /// Flows without any record.
    pub(super) strangers: Vec<FlowKey>,
    pub(super) offset: ClockOffset,
    /// Flows with a packet, with or without a record.
    pub(super) flows: u64,
    pub(super) settled_flows: u64,
    pub(super) settled_records: u64,
    pub(super) settled_large_flows: u64,
}

/// Gathers what is needed of packets.
struct Batches<'a, H> {
    partition: Partition,
    settled: &'a HashSet<FlowKey, FixedState>,
    tunnels: Tunnels,
    index: &'a FlowIndex,
    /// One flow in so many is in the sample.
    one_in: u64,
    sample: Cells,
    batch: Vec<Packet>,
    hand_on: H,
}

impl<H: FnMut(Vec<Packet>) -> Vec<Packet>> TakeSeen for Batches<'_, H> {
    #[inline]
    fn take_seen(&mut self, packet: &CapturedPacket<'_>, seen: &Seen) {
        let Seen { key, second, ip_length, flags } = *seen;
        if !self.partition.holds(&key) || !self.settled.is_empty() && self.settled.contains(&key) {
            return;
        }
        let hash = self.index.hash(&key);
        if hash.is_one_in(self.one_in) {
            self.sample(&{ *packet }, seen, hash);
        }
        self.batch.push(Packet { key, hash, second, ip_length, flags });
        if self.batch.len() == BATCH {
            self.batch = (self.hand_on)(std::mem::take(&mut self.batch));
            self.batch.reserve(BATCH);
        }
    }
}

impl<H> Batches<'_, H> {
    /// Keeps a packet of the sample by the second, if its flow has records.
    #[inline(never)]
    fn sample(&mut self, packet: &CapturedPacket<'_>, seen: &Seen, hash: FlowHash) {
        // it was decoded before, or it would not be here
        let Ok(ip) = decode(packet, self.tunnels) else { return };
        if self.index.find(&seen.key, hash).is_some() {
            add(&mut self.sample, seen.key, &cell(packet, &ip, seen.second));
        }
    }
}

impl Screened {
    /// Settles nothing after all.
    pub(super) fn unsettle(&mut self) {
        self.is_settled.fill(false);
        (self.settled_flows, self.settled_records, self.settled_large_flows) = (0, 0, 0);
    }
}

impl Screen<'_> {
    /// Reads the captures.
    pub(super) fn read(
        &self,
        inputs: Vec<CaptureInput>,
        options: &MeterOptions,
        progress: &Progress,
    ) -> Screened {
        let mut counts = Counts::new(self.log, self.shift);
        let (walked, sample) = if options.threads > 1 {
            thread::scope(|scope| {
                let (full, to_count) = sync_channel::<Vec<Packet>>(QUEUE);
                let (empty, to_fill) = channel();
                let counts = &mut counts;
                scope.spawn(move || {
                    for mut batch in to_count {
                        counts.count(&batch);
                        batch.clear();
                        // the reading end may be gone already; then nobody needs the memory
                        let _ = empty.send(batch);
                    }
                });
                self.walk(inputs, options, progress, |batch| {
                    // the counting end goes on until this end is gone
                    let _ = full.send(batch);
                    to_fill.try_recv().unwrap_or_default()
                })
            })
        } else {
            self.walk(inputs, options, progress, |mut batch| {
                counts.count(&batch);
                batch.clear();
                batch
            })
        };
        counts.settle();
        self.judged(&counts, walked, &sample, options.threads)
    }

    /// Hands on the packets of the share, and keeps a sample by the second.
    fn walk(
        &self,
        inputs: Vec<CaptureInput>,
        options: &MeterOptions,
        progress: &Progress,
        hand_on: impl FnMut(Vec<Packet>) -> Vec<Packet>,
    ) -> (Walked, Cells) {
        let index = self.log.index();
        let mut taker = Batches {
            partition: self.partition,
            settled: self.settled,
            tunnels: options.tunnels,
            index,
            one_in: index.len().div_ceil(SAMPLE).max(1) as u64,
            sample: Cells::default(),
            batch: Vec::with_capacity(BATCH),
            hand_on,
        };
        let walked = walk(inputs, options, progress, &mut taker);
        (taker.hand_on)(taker.batch);
        (walked, taker.sample)
    }

    /// Which flows agree with their records: flow by flow, so that threads can share them.
    fn agreeing(&self, counts: &Counts<'_>, threads: usize) -> Vec<bool> {
        let agrees = |(flow, key): (u32, &FlowKey)| {
            let agrees = |cells: Vec<Cell>| {
                let claims = self.claims(flow);
                !cells.is_empty()
                    && agrees(self.tolerance, key, &cells, &claims)
                    && !claims.iter().any(|claim| self.contradicted.contains(&(*key, claim.line)))
            };
            counts.cells(flow).is_some_and(agrees)
        };
        let share = self.log.index().len().div_ceil(threads.max(1)).max(1);
        let of_share =
            |number: usize| self.log.flows().skip(number * share).take(share).map(agrees).collect();
        thread::scope(|scope| {
            let of_share = &of_share;
            let others: Vec<_> =
                (1..threads).map(|number| scope.spawn(move || -> Vec<bool> { of_share(number) })).collect();
            let mut all: Vec<bool> = of_share(0);
            for other in others {
                all.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            all
        })
    }

    fn judged(&self, counts: &Counts<'_>, walked: Walked, sample: &Cells, threads: usize) -> Screened {
        let mut screened =
            Screened { offset: self.offset(sample, walked.span), walked, ..Screened::default() };
        let mut is_settled = self.agreeing(counts, threads);
        let flows = (0u32..).take(self.log.index().len());
        screened.flows = flows.filter(|flow| counts.has_packets(*flow)).count() as u64;
        self.keep_pairs(counts, &mut is_settled);
        for ((flow, _), _) in self.log.flows().zip(&is_settled).filter(|(_, is_settled)| **is_settled) {
            screened.settled_flows += 1;
            screened.settled_records += self.log.of(flow).len() as u64;
            screened.settled_large_flows += u64::from(counts.packets(flow) >= LARGE_FLOW);
        }
        screened.is_settled = is_settled;
        screened.strangers = counts.strangers().keys().to_vec();
        screened.flows += screened.strangers.len() as u64;
        screened
    }

    /// A flow's records on the packets' clock.
    fn claims(&self, flow: u32) -> Vec<Claim> {
        self.log.of(flow).iter().map(|record| record.claim(self.shift)).collect()
    }

    /// Looks again at a flow that agrees where its reverse does not: what one direction says bears on the other.
    fn keep_pairs(&self, counts: &Counts<'_>, is_settled: &mut [bool]) {
        let index = self.log.index();
        let is_absent = |flow: u32| self.log.of(flow).is_empty() && !counts.has_packets(flow);
        let before: Vec<bool> =
            (0u32..).zip(is_settled.iter()).map(|(flow, settled)| *settled || is_absent(flow)).collect();
        for (key, settled) in index.keys().iter().zip(is_settled) {
            let reverse = key.reversed();
            let agrees = match index.find(&reverse, index.hash(&reverse)) {
                Some(number) => before.get(number as usize) == Some(&true),
                None => counts.strangers().find(&reverse, index.hash(&reverse)).is_none(),
            };
            *settled &= agrees;
        }
    }

    /// What the sample says of the clocks.
    fn offset(&self, sample: &Cells, span: Option<(i64, i64)>) -> ClockOffset {
        let index = self.log.index();
        let mut votes = OffsetVotes::default();
        for (key, cells) in sample {
            if let Some(flow) = index.find(key, index.hash(key)) {
                votes.flow(&in_order(cells.clone()), &self.claims(flow), span.unwrap_or_default());
            }
        }
        votes.offset()
    }
}

/// Whether counts, times and flags of all records fit.
pub(super) fn agrees(tolerance: &Tolerance, key: &FlowKey, cells: &[Cell], claims: &[Claim]) -> bool {
    let sides = Sides { cells, claims, tolerance, joins_runs: true };
    let Some(alignment) = fits_exactly(sides) else { return false };
    key.protocol != Protocol::TCP
        || alignment.placed.iter().zip(claims).all(|(placed, claim)| {
            let bounds = alignment.flag_bounds(cells, placed, |cell| cell.tcp_flags);
            match (claim.tcp_flags, bounds) {
                (Some(flags), Some((must, may))) => flags.contains(must) && may.contains(flags),
                _ => true,
            }
        })
}
