//! What does not matter any more is dropped.

use super::super::flows::{ConnectionId, Member, NONE, Remembered};
use super::{FIRST_SWEEP, Judge};
use crate::meter::Batch;

impl Judge {
    /// Drops what does not matter any more, and numbers the rest anew.
    #[cold]
    pub(super) fn sweep(&mut self, out: &mut Batch) {
        let court = &mut self.court;
        let mut now = i64::MIN;
        self.flows.for_each(|_, last, flow| {
            let Some(last) = last else { return };
            now = now.max(last.nanos());
            for side in flow.sides.iter().filter(|side| side.refreshes) {
                if let Some((_, remembered)) = court.remembered.get_index_mut(side.connection as usize) {
                    remembered.connection.seen(last.nanos());
                }
            }
        });
        let mut renamed: Vec<u32> = Vec::with_capacity(court.remembered.len());
        let mut kept = 0;
        for (ConnectionId { interface, flow, .. }, Remembered { connection, .. }) in &court.remembered {
            let forgotten = connection.is_forgotten(flow.protocol, &court.vpc.timeouts(*interface), now);
            renamed.push(if forgotten { NONE } else { kept });
            kept += u32::from(!forgotten);
        }
        let rename = |number: u32| renamed.get(number as usize).copied().unwrap_or(NONE);
        // a flow of which a connection is gone is found out again if it goes on
        self.flows.retain(out, court, |_, flow| {
            let mut connections = flow.connections();
            connections.clone().next().is_some() && connections.all(|connection| rename(connection) != NONE)
        });
        let mut at = 0..;
        court.remembered.retain(|_, remembered| {
            remembered.members = Member::NONE;
            at.next().is_some_and(|at| rename(at) != NONE)
        });
        court.forget_answers();
        self.flows.for_each(|number, _, flow| {
            flow.verdicts = NONE;
            for side in &mut flow.sides {
                (side.connection, side.asked) = (rename(side.connection), 0);
            }
            court.link(number, flow);
        });
        self.sweep_at = (self.flows.len() * 2).max(FIRST_SWEEP);
    }
}
