//! Packets that a capture says it lost, and when.

use std::collections::VecDeque;

use crate::packet::Timestamp;

/// How many losses are kept: far more than are told between two packets.
const KEPT: usize = 1 << 16;

/// An interface has lost packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The interface, counted on over all sections.
    pub interface: u32,
    /// When that was told: the time of the packet that says so (`epb_dropcount`), or of the interface statistics.
    /// `None` where these have none.
    pub time: Option<Timestamp>,
}

/// The losses told so far, in the order in which they stand in the capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    told: u64,
    last: VecDeque<Loss>,
}

impl Losses {
    /// How many were told.
    #[inline]
    pub fn told(&self) -> u64 {
        self.told
    }

    /// Those behind the first `known` ones. Of very many only the last 65,536 are kept.
    pub fn since(&self, known: u64) -> impl Iterator<Item = Loss> + '_ {
        let new = usize::try_from(self.told.saturating_sub(known)).unwrap_or(usize::MAX);
        self.last.iter().skip(self.last.len().saturating_sub(new)).copied()
    }

    pub(super) fn tell(&mut self, loss: Loss) {
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back(loss);
        self.told += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_new_losses_are_given() {
        let mut losses = Losses::default();
        let interfaces =
            |losses: &Losses, known| -> Vec<u32> { losses.since(known).map(|loss| loss.interface).collect() };
        assert!(interfaces(&losses, 0).is_empty());
        (0..3).for_each(|interface| losses.tell(Loss { interface, time: None }));
        assert_eq!(interfaces(&losses, 1), [1, 2]);
        assert!(interfaces(&losses, 3).is_empty());
        (3..KEPT as u32 + 2).for_each(|interface| losses.tell(Loss { interface, time: None }));
        assert_eq!(losses.told(), KEPT as u64 + 2);
        assert_eq!(interfaces(&losses, 0).first(), Some(&2));
    }
}
