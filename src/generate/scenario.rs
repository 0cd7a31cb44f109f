//! A scenario as it was understood: who talks to whom, where it is captured, and how the log is delivered.
//!
//! Times are nanoseconds, in whole microseconds; sizes are bytes.

use std::net::IpAddr;

use super::network::Network;
use crate::packet::Timestamp;
use crate::record::LogFormat;

/// Nanoseconds in a second.
pub(super) const SECOND: i64 = 1_000_000_000;

/// A scenario.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name: that of a ready one, or the file's.
    pub name: String,
    /// The file that it stands in, for messages.
    pub file: String,
    /// What it shows, in a few words.
    pub title: String,
    /// The lesson, a paragraph.
    pub about: String,
    /// What random numbers depend on.
    pub seed: u64,
    /// When it begins.
    pub begin: Timestamp,
    /// How far one repetition is from the next. Conversations that go on for longer are not cut.
    pub duration: i64,
    /// What a comparison of the capture with the log comes to.
    pub expected: Expected,
    /// The interfaces and the hosts outside.
    pub network: Network,
    /// Who talks to whom.
    pub conversations: Vec<Template>,
    /// Where and how packets are captured.
    pub capture: CapturePoint,
    /// How the log is delivered.
    pub log: Delivery,
}

/// What a comparison of a scenario's capture with its log comes to, as the scenario declares it.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Expected {
    /// `same` or `explained`.
    pub verdict: String,
    /// The codes of the causes, in alphabetical order.
    pub causes: Vec<String>,
    /// The options of `diff` that it takes, such as `--decap`.
    pub options: Vec<String>,
}

/// What a conversation speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speech {
    /// TCP (RFC 9293).
    Tcp,
    /// UDP (RFC 768): requests, and responses where they have a size.
    Udp,
    /// ICMP or ICMPv6 echo (RFC 792, RFC 4443).
    Ping,
}

/// How a TCP connection begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// SYN, SYN-ACK, ACK.
    Full,
    /// SYN and SYN-ACK; the client never answers.
    HalfOpen,
    /// SYN; the server answers with a reset, as closed ports do.
    Refused,
}

/// How a TCP connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Both sides send FIN.
    Fin,
    /// The client resets it.
    Reset,
    /// It is still open when the scenario ends.
    Open,
}

/// One side of a conversation: addresses and ports that its copies go through.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Where it is, each with its address or range.
    pub places: Vec<Seat>,
    /// First and last port; `None`: of a client the ephemeral ports in turn, of ICMP none.
    pub ports: Option<(u16, u16)>,
}

/// A host and the addresses of it that are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The interface, or `None` outside of every VPC.
    pub interface: Option<usize>,
    /// The first address.
    pub first: IpAddr,
    /// How many addresses from there on.
    pub count: u64,
}

/// A place that a packet passes and where it may be rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// The interface.
    pub interface: usize,
    /// Out of the interface, or into it.
    pub egress: bool,
}

/// What lies between the two ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Middle {
    /// Nothing that has an interface.
    Nothing,
    /// A NAT gateway's interface, whose address takes the client's place behind it.
    Nat(usize),
    /// Interfaces that hand packets on as they are: into the first, out of the last.
    Through(Vec<usize>),
}

/// A conversation, and how often it is held.
#[derive(Clone, Debug)]
pub struct Template {
    /// Its place among the scenario's.
    pub place: usize,
    /// The line and the column that it begins at, from 1.
    pub begins_at: (usize, usize),
    /// How many conversations of the same clients come before it in a repetition.
    pub turn: u64,
    /// How many conversations the same clients hold in a repetition.
    pub copies_of_clients: u64,
    /// What is spoken.
    pub speech: Speech,
    /// Who begins.
    pub from: Endpoint,
    /// Who answers.
    pub to: Endpoint,
    /// What lies between them.
    pub middle: Middle,
    /// When the first copy begins, after the scenario's begin.
    pub start: i64,
    /// How many copies.
    pub count: u64,
    /// From one copy's begin to the next.
    pub every: i64,
    /// The share of pauses and of `every` that varies.
    pub jitter: f64,
    /// Exchanges of a request and a response.
    pub exchanges: u32,
    /// Bytes of a request, of what TCP, UDP or ICMP carries.
    pub request: u64,
    /// Bytes of a response; 0 for none.
    pub response: u64,
    /// Between two exchanges.
    pub pause: i64,
    /// From a packet to its answer.
    pub rtt: i64,
    /// Bytes a second in which data is sent.
    pub rate: u64,
    /// The largest IP packet on the way.
    pub mtu: u32,
    /// How a TCP connection begins.
    pub handshake: Handshake,
    /// How it ends.
    pub ending: Ending,
    /// How often what is not answered is sent again.
    pub retries: u32,
    /// Every so many segments with data one is sent twice; 0 for none.
    pub retransmit: u32,
    /// Where what the client sends is rejected.
    pub rejected: Option<Crossing>,
    /// Where what the server sends is rejected.
    pub replies_rejected: Option<Crossing>,
    /// Whether AWS logs such traffic at all.
    pub logged: bool,
    /// The VLAN that its frames are tagged with.
    pub vlan: Option<u16>,
}

/// What a capture shows of packets that are rejected on their way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Inside the hosts, behind security groups and network ACLs: nothing.
    Host,
    /// In front of them: everything.
    Wire,
}

/// Where and how packets are captured.
#[derive(Clone, Debug)]
pub struct CapturePoint {
    /// The interfaces whose packets are captured; all, if `None`.
    pub at: Option<Vec<usize>>,
    /// In front of the filters, or behind them.
    pub placement: Placement,
    /// Bytes that are kept of a frame; 0 for all.
    pub snaplen: u32,
    /// The share of frames that the capture loses, and counts as lost.
    pub loss: f64,
    /// The share of frames that are written a few frames late.
    pub reorder: f64,
    /// How many segments with data offload joins to one; 1 where it is switched off.
    pub offload: u32,
    /// Frames arrive mirrored, in VXLAN.
    pub mirror: Option<Mirror>,
}

/// A traffic mirroring session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// The VXLAN network identifier.
    pub vni: u32,
    /// The addresses of the mirrored interface and of the target.
    pub outer: [std::net::Ipv4Addr; 2],
}

/// How the log is delivered.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Seconds that one record spans at most.
    pub interval: i64,
    /// Whether windows begin at whole multiples of the interval; else each interface's begin anywhere.
    pub aligned: bool,
    /// The most that a record's times are late, in seconds.
    pub lag: u64,
    /// How long a record waits at most until it is written; 0: in order.
    pub delay: i64,
    /// Whether windows without traffic have a record.
    pub nodata: bool,
    /// The fields of its records.
    pub format: LogFormat,
    /// Windows whose records were lost.
    pub skipped: Vec<Skipped>,
}

/// Time in which an interface's records were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The interface.
    pub interface: usize,
    /// A time in the window, after the scenario's begin.
    pub at: i64,
}
