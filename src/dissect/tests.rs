use super::*;
use crate::packet::{LinkType, PacketDirection, PacketTime};
