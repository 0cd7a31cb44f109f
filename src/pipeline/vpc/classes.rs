//! Classes: what the judge says of a packet beside its flow, interned to a number that fits a metering key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::fast::RandomState;

use crate::record::Action;
use crate::vpc::{InterfaceIndex, Peer, Why};

/// Whose record it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Owner {
    Interface(InterfaceIndex),
    RegionalNat(u32),
    /// No interface of the VPC: the constants that were given.
    Unknown,
}

/// One record that a packet is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Sighted {
    pub(super) owner: Owner,
    /// Which way it went; for an unknown owner what the walk found stands in the key.
    pub(super) egress: bool,
    /// `None` where it could not be decided.
    pub(super) action: Option<Action>,
    /// The interface at the other end.
    pub(super) peer: Option<Peer>,
    /// Why, where that is asked for.
    pub(super) why: Option<Why>,
}

/// The records that a packet is counted in: at least one.
pub(super) type Class = Arc<[Sighted]>;

/// The classes so far. The judge adds to them, and whoever writes looks them up.
#[derive(Debug, Default)]
pub(super) struct Classes {
    numbers: HashMap<Class, u32, RandomState>,
    classes: Arc<Mutex<Vec<Class>>>,
}

/// The other end: reads classes by their number.
#[derive(Debug)]
pub(super) struct ClassReader {
    classes: Arc<Mutex<Vec<Class>>>,
    known: Vec<Class>,
}

impl Classes {
    /// The number of a class.
    pub(super) fn number(&mut self, class: &[Sighted]) -> u32 {
        if let Some(number) = self.numbers.get(class) {
            return *number;
        }
        let class: Class = class.into();
        // nothing panics while it holds the lock
        let mut classes = self.classes.lock().unwrap_or_else(PoisonError::into_inner);
        let number = u32::try_from(classes.len()).unwrap_or(u32::MAX);
        classes.push(class.clone());
        self.numbers.insert(class, number);
        number
    }

    pub(super) fn reader(&self) -> ClassReader {
        ClassReader { classes: self.classes.clone(), known: Vec::new() }
    }
}

impl ClassReader {
    /// Takes up the classes that were added; to be called before a window is written.
    pub(super) fn refresh(&mut self) {
        let classes = self.classes.lock().unwrap_or_else(PoisonError::into_inner);
        self.known.extend(classes.iter().skip(self.known.len()).cloned());
    }

    pub(super) fn get(&self, number: u32) -> &[Sighted] {
        self.known.get(number as usize).map(|class| &**class).unwrap_or_default()
    }
}
