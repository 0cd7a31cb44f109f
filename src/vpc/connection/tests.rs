use super::*;
use crate::flow::FlowKey;
use crate::packet::IcmpType;

const YES: GroupAnswer = GroupAnswer {
    answer: Answer::Yes,
    rule: Some(RuleRef::Group { group: 0, egress: false, rule: 0 }),
    untracked: false,
};
const NO: GroupAnswer = GroupAnswer { answer: Answer::No, rule: None, untracked: false };

const ACK: TcpFlags = TcpFlags(0);
const SYN_ACK: TcpFlags = TcpFlags(0x12);

/// A connection between a client outside and a server that the interface belongs to; the rules let nothing in but what
/// `ingress` says, and nothing out.
struct Server {
    connection: Connection,
    ingress: GroupAnswer,
    protocol: Protocol,
    /// The second of the first packet of all.
    since: i64,
}

impl Server {
    fn new(protocol: Protocol, ingress: GroupAnswer) -> Server {
        Server { connection: Connection::default(), ingress, protocol, since: 0 }
    }

    fn packet(&mut self, egress: bool, flags: TcpFlags, seconds: i64) -> Verdict {
        let icmp = (self.protocol == Protocol::ICMP)
            .then_some(IcmpType { icmp_type: if egress { 0 } else { 8 }, code: 0 });
        let ports = if self.protocol.has_ports() { (40000, 22) } else { (0, 0) };
        let flow = FlowKey {
            srcaddr: "203.0.113.5".parse().unwrap(),
            dstaddr: "10.0.0.1".parse().unwrap(),
            protocol: self.protocol,
            srcport: ports.0,
            dstport: ports.1,
        };
        let traffic = Traffic::new(if egress { flow.reversed() } else { flow }, icmp);
        let time = seconds * SECOND;
        let since = self.since * SECOND;
        let question =
            Question { traffic: &traffic, egress, flags, time, since, timeouts: Timeouts::default() };
        let (own, reverse) = if egress { (NO, self.ingress) } else { (self.ingress, NO) };
        self.connection.judge(&question, || own, || reverse)
    }

    fn passes(&mut self, egress: bool, flags: TcpFlags, seconds: i64) -> bool {
        self.packet(egress, flags, seconds).answer == Answer::Yes
    }
}

#[test]
fn the_reply_of_an_allowed_connection_passes_and_no_other() {
    let mut server = Server::new(Protocol::TCP, YES);
    assert!(server.passes(false, TcpFlags::SYN, 0));
    assert!(server.passes(true, SYN_ACK, 0));
    assert!(matches!(server.packet(true, ACK, 1000).why, Why::Reply(_)));
    let mut server = Server::new(Protocol::TCP, NO);
    assert!(!server.passes(false, TcpFlags::SYN, 0));
    assert!(!server.passes(true, SYN_ACK, 0));
    assert!(!server.connection.is_mid_stream(), "its beginning was seen");
}

#[test]
fn a_tcp_connection_lasts_five_days_of_silence() {
    let mut server = Server::new(Protocol::TCP, YES);
    assert!(server.passes(false, TcpFlags::SYN, 0));
    assert!(server.passes(true, ACK, 432_000));
    // then the server's packets have no connection, while the client's begin one by the rule
    assert!(!server.passes(true, ACK, 864_001));
    assert!(server.passes(false, ACK, 864_002));
    assert!(server.passes(true, ACK, 864_003));
}

#[test]
fn what_comes_after_the_closing_is_refused() {
    for closing in [[TcpFlags::FIN, TcpFlags::FIN], [ACK, TcpFlags::RST]] {
        let mut server = Server::new(Protocol::TCP, YES);
        assert!(server.passes(false, TcpFlags::SYN, 0));
        assert!(server.passes(true, SYN_ACK, 0));
        assert!(server.passes(false, closing[0], 1));
        assert!(server.passes(true, closing[1], 2));
        assert!(server.passes(false, ACK, 2), "the last acknowledgment");
        assert!(server.passes(true, TcpFlags::FIN, 12), "a FIN sent again");
        assert_eq!(server.packet(true, TcpFlags::FIN, 13).why, Why::AfterClose);
        assert_eq!(server.packet(false, ACK, 13).why, Why::AfterClose, "although a rule allows it");
        assert!(server.passes(false, TcpFlags::SYN, 14), "a new connection");
        assert!(server.passes(true, SYN_ACK, 14));
    }
}

#[test]
fn one_fin_leaves_the_other_half_open() {
    let mut server = Server::new(Protocol::TCP, YES);
    assert!(server.passes(false, TcpFlags::SYN, 0));
    assert!(server.passes(false, TcpFlags::FIN, 1));
    assert!(server.passes(false, TcpFlags::FIN, 2), "sent again");
    assert!(server.passes(true, ACK, 1000));
}

#[test]
fn the_middle_of_a_connection_is_judged_by_either_beginning() {
    let mut server = Server::new(Protocol::TCP, YES);
    assert!(server.passes(true, ACK, 0), "the client may have begun");
    assert!(server.connection.is_mid_stream());
    assert!(server.passes(false, ACK, 1));
    let mut server = Server::new(Protocol::TCP, NO);
    assert!(!server.passes(true, ACK, 0));
    assert!(server.connection.is_mid_stream());
    let mut server = Server::new(Protocol::TCP, YES);
    assert!(!server.passes(false, SYN_ACK, 0), "an answer to what the server may not send");
}

#[test]
fn udp_is_remembered_for_30_s_and_after_two_exchanges_for_180_s() {
    let mut server = Server::new(Protocol::UDP, YES);
    assert!(server.passes(false, ACK, 0));
    assert!(server.passes(true, ACK, 30));
    assert!(!server.passes(true, ACK, 61));
    let mut server = Server::new(Protocol::UDP, YES);
    for second in 0..2 {
        assert!(server.passes(false, ACK, second));
        assert!(server.passes(true, ACK, second));
    }
    assert!(server.passes(true, ACK, 181));
    assert!(!server.passes(true, ACK, 362));
}

#[test]
fn a_ping_is_tracked_and_other_protocols_for_600_s() {
    let mut server = Server { since: -31, ..Server::new(Protocol::ICMP, YES) };
    assert!(!server.passes(true, ACK, 0), "a reply to nothing");
    assert!(server.passes(false, ACK, 0));
    assert!(server.passes(true, ACK, 30));
    assert!(!server.passes(true, ACK, 61));
    let mut server = Server::new(Protocol::GRE, YES);
    assert!(server.passes(false, ACK, 0));
    assert!(server.passes(true, ACK, 600));
    assert!(!server.passes(true, ACK, 1201));
}

#[test]
fn an_untracked_connection_has_no_end() {
    let open = GroupAnswer { untracked: true, ..YES };
    let mut server = Server::new(Protocol::TCP, open);
    assert!(server.passes(false, TcpFlags::SYN, 0));
    assert!(server.passes(false, TcpFlags::RST, 1));
    assert!(server.passes(false, ACK, 100));
}

#[test]
fn a_packet_without_its_ports_may_be_an_answer() {
    let flow = FlowKey {
        srcaddr: "10.0.0.1".parse().unwrap(),
        dstaddr: "203.0.113.5".parse().unwrap(),
        protocol: Protocol::UDP,
        srcport: 0,
        dstport: 0,
    };
    let traffic = Traffic::new(flow, None);
    let question = Question {
        traffic: &traffic,
        egress: true,
        flags: TcpFlags(0),
        time: 0,
        since: 0,
        timeouts: Timeouts::default(),
    };
    let judge = |own, reverse| Connection::default().judge(&question, || own, || reverse).answer;
    assert_eq!(judge(YES, NO), Answer::Yes);
    assert_eq!(judge(NO, NO), Answer::No);
    assert_eq!(judge(NO, YES), Answer::Unknown);
}

#[test]
fn what_is_forgotten_answers_as_what_never_was() {
    for protocol in [Protocol::TCP, Protocol::UDP, Protocol::GRE] {
        for flags in [TcpFlags::SYN, TcpFlags::FIN, ACK] {
            let mut server = Server::new(protocol, YES);
            server.packet(false, flags, 0);
            let timeouts = Timeouts::default();
            let mut later = 1;
            while !server.connection.is_forgotten(protocol, &timeouts, later * SECOND) {
                later *= 2;
            }
            let mut fresh = Server::new(protocol, YES);
            assert_eq!(server.packet(true, ACK, later), fresh.packet(true, ACK, later), "{protocol:?}");
        }
    }
}

#[test]
fn an_answer_under_way_at_the_start_was_refused_without_a_word() {
    // the interface's own request went out before the capture: `ingress` is what the request's rules say
    let answer = |protocol, rules, ports: (u16, u16), seconds: i64| {
        let flow = FlowKey {
            srcaddr: "10.0.0.1".parse().unwrap(),
            dstaddr: "203.0.113.5".parse().unwrap(),
            protocol,
            srcport: ports.0,
            dstport: ports.1,
        };
        let icmp = (protocol == Protocol::ICMP).then_some(IcmpType { icmp_type: 0, code: 0 });
        let traffic = Traffic::new(flow, icmp);
        let question = Question {
            traffic: &traffic,
            egress: true,
            flags: TcpFlags(0),
            time: seconds * SECOND,
            since: 0,
            timeouts: Timeouts::default(),
        };
        let mut connection = Connection::default();
        (connection.judge(&question, || NO, || rules), connection.is_mid_stream())
    };
    for (protocol, ports, remembered) in [(Protocol::UDP, (53, 40000), 180), (Protocol::ICMP, (0, 0), 30)] {
        let (verdict, mid_stream) = answer(protocol, YES, ports, remembered);
        assert!(matches!(verdict.why, Why::MidStream(_)) && mid_stream, "{protocol}");
        assert_eq!(answer(protocol, YES, ports, remembered + 1).0.answer, Answer::No, "no such request");
        assert_eq!(answer(protocol, NO, ports, 0), (refused(Answer::No), false));
        let unknown = GroupAnswer { answer: Answer::Unknown, ..NO };
        assert_eq!(answer(protocol, unknown, ports, 0).0.answer, Answer::Unknown);
    }
    // what may as well be a request is none
    for ports in [(40000, 53), (40000, 50000), (53, 53)] {
        assert_eq!(answer(Protocol::UDP, YES, ports, 0).0.answer, Answer::No, "{ports:?}");
    }
}

#[test]
fn a_refused_syn_ack_named_the_rules_of_its_own_direction() {
    let mut server = Server::new(Protocol::TCP, NO);
    assert_eq!(server.packet(true, SYN_ACK, 0).why, Why::AnswersNothing);
    let mut server = Server::new(Protocol::TCP, NO);
    assert_eq!(server.packet(true, ACK, 0).why, Why::NoRule);
}

#[test]
fn the_answer_to_a_refused_syn_let_the_rest_of_the_connection_pass() {
    let flow = FlowKey {
        srcaddr: "203.0.113.5".parse().unwrap(),
        dstaddr: "10.0.0.1".parse().unwrap(),
        protocol: Protocol::TCP,
        srcport: 40000,
        dstport: 443,
    };
    let mut connection = Connection::default();
    // nothing may come in, everything may go out
    let mut packet = |egress: bool, flags: TcpFlags, seconds: i64| {
        let traffic = Traffic::new(if egress { flow.reversed() } else { flow }, None);
        let (time, timeouts) = (seconds * SECOND, Timeouts::default());
        let question = Question { traffic: &traffic, egress, flags, time, since: 0, timeouts };
        let rules = |egress| if egress { YES } else { NO };
        connection.judge(&question, || rules(egress), || rules(!egress))
    };
    assert_eq!(packet(false, TcpFlags::SYN, 0).answer, Answer::No);
    assert_eq!(packet(true, SYN_ACK, 1).why, Why::AnswersRefused);
    assert_eq!(packet(false, ACK, 1).why, Why::NoRule);
    assert_eq!(packet(true, ACK, 2).why, Why::AnswersRefused);
    // another beginning, from inside, is another question
    assert_eq!(packet(true, TcpFlags::SYN, 3).answer, Answer::Yes);
}
