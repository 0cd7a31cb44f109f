//! The causes of differences: one table.

use std::fmt;

use serde::{Serialize, Serializer};

/// Whether a cause explains a difference, or is what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Both sides are right.
    Explained,
    /// One side is wrong.
    Different,
}

macro_rules! causes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $judgement:ident, $finding:literal;)*) => {
        /// Why a record, or a run of packets, differs. The order is that in which causes are tried.
        ///
        /// `docs/causes.md` has a section for each: what it looks like, the arithmetic, what to do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Cause {
            $($(#[$doc])* $variant,)*
        }

        impl Cause {
            /// Every cause.
            pub const ALL: [Cause; [$($code),*].len()] = [$(Cause::$variant),*];

            /// The code in reports: `frame-bytes`.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Cause::$variant => $code,)*
                }
            }

            /// What it says of the sides; a duplicate by two interfaces is explained all the same.
            pub const fn judgement(self) -> Judgement {
                match self {
                    $(Cause::$variant => Judgement::$judgement,)*
                }
            }

            /// What it means when it explains many differences, as a sentence without its end.
            pub const fn finding(self) -> &'static str {
                match self {
                    $(Cause::$variant => $finding,)*
                }
            }
        }
    };
}

causes! {
    /// The same flow, span and counts twice in one log.
    DuplicateRecord = "duplicate-record", Different, "the log has records twice";
    /// The sides' clocks differ by one amount for all flows.
    ClockOffset = "clock-offset", Explained, "the two clocks differ";
    /// The times of a record are up to 60 seconds off, its counts are right.
    LogLag = "log-lag", Explained, "the log's times lag behind, by an amount of their own for each record";
    /// Traffic that AWS never logs.
    NeverLogged = "never-logged", Explained, "the capture shows traffic that AWS never logs";
    /// What is missing lies in the span of a SKIPDATA record.
    SkipData = "skipdata", Explained, "the log says itself, with SKIPDATA, that it missed records";
    /// Partly outside the time that both sides cover.
    CaptureEdge = "capture-edge", Explained, "one side covers more time than the other";
    /// The same totals over other records.
    SplitDifferently = "split-differently", Explained, "the same traffic is split into other records";
    /// ACCEPT or REJECT where the VPC's rules come to the other.
    OtherAction = "other-action", Different, "the log's actions are not what the VPC's rules come to";
    /// Fewer, larger packets inside the host than on the wire.
    SegmentOffload = "segment-offload", Explained,
        "the capture was taken where segmentation offload still joined packets";
    /// A REJECT whose packets never reached the capture point.
    RejectedUnseen = "rejected-unseen", Explained, "rejected packets never reached the capture point";
    /// The other side of a tunnel.
    Tunnelled = "tunnelled", Explained, "one side sees a tunnel, the other the packets inside it";
    /// The other side of a network address translation.
    AddressTranslated = "address-translated", Explained,
        "one side sees addresses before, the other after a translation (NAT)";
    /// The interface's primary address in place of a secondary one.
    SecondaryAddress = "secondary-address", Explained,
        "the log shows the interface's primary address for a secondary one";
    /// A REJECT of a closed connection's last packets.
    LateReject = "late-reject", Explained, "the last packets of closed connections are logged as rejected";
    /// Packets that the capture lost, as many as it says.
    CaptureLoss = "capture-loss", Explained, "the capture lost packets, as many as it says itself";
    /// Frame lengths in place of IP lengths.
    FrameBytes = "frame-bytes", Different, "bytes are counted as frame bytes, link headers included";
    /// What the snap length kept in place of IP lengths.
    CapturedBytes = "captured-bytes", Different, "bytes are counted as what the capture's snap length kept";
    /// Later fragments under ports.
    FragmentPorts = "fragment-ports", Different, "later fragments are counted under other ports";
    /// A packet that came in fragments counted as one, and by its length before it was cut.
    Reassembled = "reassembled", Different, "fragments are counted as the one packet that they were";
    /// ICMP's type and code in place of ports.
    IcmpPorts = "icmp-ports", Different, "ICMP's type and code stand where a flow log has ports `0 0`";
    /// A flow's counts under its reverse.
    DirectionReversed = "direction-reversed", Different, "source and destination are exchanged";
    /// The ports of a flow exchanged, its addresses not.
    PortsSwapped = "ports-swapped", Different, "`srcport` and `dstport` are exchanged";
    /// TCP flags as in the header, where a flow log has fewer.
    RawTcpFlags = "raw-tcp-flags", Different, "`tcp-flags` holds bits that a flow log never has (ACK, PSH and others)";
    /// One share of the packets and bytes of all flows.
    Sampled = "sampled", Different, "packets are sampled";
    /// Packets that should have a record.
    MissingRecord = "missing-record", Different, "records are missing in the candidate";
    /// A record that should not be.
    ExtraRecord = "extra-record", Different, "the candidate has records that the reference does not bear out";
    /// Nothing fits.
    Unexplained = "unexplained", Different, "nothing explains these";
}

impl Cause {
    /// Whether both sides are right.
    pub fn is_explained(self) -> bool {
        self.judgement() == Judgement::Explained
    }
}

/// The code.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The code.
impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}
