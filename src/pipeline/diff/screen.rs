//! A first look at the packets: which flows agree with their records to the letter.
//!
//! Metering every flow by the second does not scale, so packets are metered straight into the records' own spans;
//! single seconds are kept only where two records share one. Flows in which everything fits that way are settled, the
//! others are read again by the second. A sample of the flows is kept by the second at once, for the clock offset.

use std::sync::mpsc::{channel, sync_channel};
use std::thread;

use super::capture_side::{Cells, add, cell, in_order};
use super::counts::{Counts, Packet};
use super::log_flows::LogFlows;
use super::partition::Partition;
use super::walk::{Walked, walk};
use crate::capture::CaptureInput;
use crate::diff::{Cell, Claim, ClockOffset, LARGE_FLOW, OffsetVotes, Sides, Tolerance, fits_exactly};
use crate::flow::FlowKey;
use crate::packet::Protocol;
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
        self.judged(&counts, walked, &sample)
    }

    /// Hands on the packets of the share, and keeps a sample by the second.
    fn walk(
        &self,
        inputs: Vec<CaptureInput>,
        options: &MeterOptions,
        progress: &Progress,
        mut hand_on: impl FnMut(Vec<Packet>) -> Vec<Packet>,
    ) -> (Walked, Cells) {
        let index = self.log.index();
        let one_in = index.len().div_ceil(SAMPLE).max(1) as u64;
        let mut sample = Cells::default();
        let mut batch: Vec<Packet> = Vec::with_capacity(BATCH);
        let walked = walk(inputs, options, progress, |packet, ip, second| {
            let key = FlowKey::from(ip);
            if !self.partition.holds(&key) {
                return;
            }
            let hash = index.hash(&key);
            if hash.is_one_in(one_in) && index.find(&key, hash).is_some() {
                add(&mut sample, key, &cell(packet, ip, second));
            }
            batch.push(Packet {
                key,
                hash,
                second,
                ip_length: ip.ip_length,
                flags: ip.tcp_flags.as_logged(),
            });
            if batch.len() == BATCH {
                batch = hand_on(std::mem::take(&mut batch));
                batch.reserve(BATCH);
            }
        });
        hand_on(batch);
        (walked, sample)
    }

    fn judged(&self, counts: &Counts<'_>, walked: Walked, sample: &Cells) -> Screened {
        let mut screened =
            Screened { offset: self.offset(sample, walked.span), walked, ..Screened::default() };
        let mut is_settled = Vec::with_capacity(self.log.index().len());
        for (flow, key) in self.log.flows() {
            let agrees = |cells: Vec<Cell>| !cells.is_empty() && self.agrees(key, &cells, &self.claims(flow));
            is_settled.push(counts.cells(flow).is_some_and(agrees));
            screened.flows += u64::from(counts.has_packets(flow));
        }
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

    /// Whether counts, times and flags of all records fit.
    fn agrees(&self, key: &FlowKey, cells: &[Cell], claims: &[Claim]) -> bool {
        let sides = Sides { cells, claims, tolerance: self.tolerance, joins_runs: true };
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
}
