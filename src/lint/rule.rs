//! THE table of the rules.

use std::fmt;

use serde::{Serialize, Serializer};

use super::Level::{self, Error, Note, Warning};

macro_rules! rules {
    ($(
        $variant:ident = $name:literal, $level:ident {
            what: $what:literal,
            why: $why:literal,
            advice: $advice:literal,
            example: $example:literal
        }
    )*) => {
        /// A rule of `lint`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Rule {
            $(
                #[doc = concat!("`", $name, "`: ", $what)]
                $variant,
            )*
        }

        impl Rule {
            /// Every rule, in the order of its page.
            pub const ALL: [Rule; [$($name),*].len()] = [$(Rule::$variant),*];

            /// The name to type, `repeated-space`.
            pub const fn name(self) -> &'static str {
                match self { $(Rule::$variant => $name,)* }
            }

            /// How bad it is unless the user says otherwise.
            pub const fn level(self) -> Level {
                match self { $(Rule::$variant => $level,)* }
            }

            /// What it finds, as a sentence without a full stop.
            pub const fn what(self) -> &'static str {
                match self { $(Rule::$variant => $what,)* }
            }

            /// Why that is wrong.
            pub const fn why(self) -> &'static str {
                match self { $(Rule::$variant => $why,)* }
            }

            /// What to do about it.
            pub const fn advice(self) -> &'static str {
                match self { $(Rule::$variant => $advice,)* }
            }

            /// A log in which it finds something. The text before ` | ` is a consumer to lint for.
            pub const fn example(self) -> &'static str {
                match self { $(Rule::$variant => $example,)* }
            }
        }
    };
}

rules! {
    NotUtf8 = "not-utf8", Error {
        what: "A line or value is not UTF-8",
        why: "Values are names, numbers and addresses; other bytes are damage or another encoding.",
        advice: "Find what wrote it; save the log as UTF-8.",
        example: "2 123456789012 eni-\u{ff}abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 120 1623101047 1623101107 ACCEPT OK"
    }
    Unreadable = "unreadable", Error {
        what: "Something is neither a line of a log nor JSON that holds one",
        why: "JSON that is damaged or holds no records, and lines of more than 64 KiB, are skipped by those who read the log, or end it for them.",
        advice: "Look at the place; it may be cut off, or another kind of file.",
        example: "[{\"message\": \"x\"},"
    }
    ByteOrderMark = "byte-order-mark", Warning {
        what: "A byte order mark stands in front of a line",
        why: "It becomes part of the first value, so that the header or the first record is not recognised.",
        advice: "Save the log as UTF-8 without a byte order mark.",
        example: "\u{feff}2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 120 1623101047 1623101107 ACCEPT OK"
    }
    CarriageReturn = "carriage-return", Warning {
        what: "A line ends with a carriage return",
        why: "AWS ends lines with a line feed alone; the carriage return stays in the last value, so that `log-status` is no longer `OK`.",
        advice: "Convert the line ends, for instance with `tr -d '\\r'`.",
        example: "2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 120 1623101047 1623101107 ACCEPT OK\r"
    }
    LeadingSpace = "leading-space", Warning {
        what: "A line begins with a space",
        why: "Whoever cuts at single spaces finds an empty first value, and all others one place too far.",
        advice: "Remove the space.",
        example: " 2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 120 1623101047 1623101107 ACCEPT OK"
    }
    TrailingSpace = "trailing-space", Warning {
        what: "A line ends with a space",
        why: "Whoever cuts at single spaces finds one value more than the format has, and refuses the record.",
        advice: "Remove the space; templates of generators often have it.",
        example: "2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 120 1623101047 1623101107 ACCEPT OK "
    }
    RepeatedSpace = "repeated-space", Warning {
        what: "More than one space stands between two values",
        why: "Whoever cuts at single spaces finds an empty value and one too many. AWS's own page has such a line.",
        advice: "Replace them by one space.",
        example: "2 123456789012 eni-abc123de 10.0.0.1  10.0.0.2 443 50000 6 2 120 1623101047 1623101107 ACCEPT OK"
    }
    Tab = "tab", Warning {
        what: "A tab stands where a space should",
        why: "Strict readers cut at spaces only, and find two values in one.",
        advice: "Replace tabs by spaces.",
        example: "2 123456789012\teni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 120 1623101047 1623101107 ACCEPT OK"
    }
    TerminalColour = "terminal-colour", Warning {
        what: "A line has escape sequences of a terminal",
        why: "They become part of a value; `aws logs tail` writes them to a terminal.",
        advice: "Write the log with `--no-cli-pager` and without colours.",
        example: "\u{1b}[32m2021-06-07T21:24:07\u{1b}[0m 2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 120 1623101047 1623101107 ACCEPT OK"
    }
    Comment = "comment", Warning {
        what: "A line is a comment, or has one at its end",
        why: "Flow logs have no comments. A comment in front of the header makes readers crash, one behind a record adds values to it.",
        advice: "Remove it.",
        example: "2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 120 1623101047 1623101107 ACCEPT OK # web"
    }
    BlankLine = "blank-line", Warning {
        what: "A line has nothing in it",
        why: "Some readers take it for a record with too few values and give up the file.",
        advice: "Remove it.",
        example: "2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 120 1623101047 1623101107 ACCEPT OK\n\n2 123456789012 eni-abc123de 10.0.0.2 10.0.0.1 50000 443 6 2 120 1623101047 1623101107 ACCEPT OK"
    }
    HeaderSpelling = "header-spelling", Warning {
        what: "A header spells a field in another way than AWS",
        why: "Readers look the names up as AWS writes them in text: lower case, hyphens, without `${}`.",
        advice: "Write the name as AWS does; underscores are for Parquet and Athena.",
        example: "srcaddr dstaddr log_status\n10.0.0.1 10.0.0.2 OK"
    }
    UnknownField = "unknown-field", Warning {
        what: "A header, or a record's names, have a field that no flow log of AWS has",
        why: "Readers that know the fields by name refuse the log or drop the column.",
        advice: "Correct the name, or leave the column out; `flowtruth fields` lists what there is.",
        example: "srcaddr dstaddr log-status verdict\n10.0.0.1 10.0.0.2 OK good"
    }
    RepeatedField = "repeated-field", Error {
        what: "A field is there twice",
        why: "AWS refuses such a format, and readers keep one of the two values.",
        advice: "Leave one of them out.",
        example: "srcaddr srcaddr log-status\n10.0.0.1 10.0.0.2 OK"
    }
    HeaderInTheMiddle = "header-in-the-middle", Warning {
        what: "A header stands behind records",
        why: "AWS writes one header, as the first line. Logs that were put together have more, which most readers take for records.",
        advice: "Keep the first header only, if all are the same; else keep the logs apart.",
        example: "srcaddr dstaddr log-status\n10.0.0.1 10.0.0.2 OK\nsrcaddr dstaddr log-status\n10.0.0.1 10.0.0.3 OK"
    }
    FieldCount = "field-count", Error {
        what: "A line has more or fewer values than the log has columns",
        why: "Which value belongs to which field is not known.",
        advice: "Complete the line (`-` for what is missing), or name the columns with `--input-format`.",
        example: "2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 120 1623101047 1623101107 ACCEPT"
    }
    NotAnAddress = "not-an-address", Error {
        what: "A value should be an address and is none",
        why: "Addresses are IPv4 in dots without leading zeros, or IPv6.",
        advice: "Correct the value; names of hosts and address ranges do not belong here.",
        example: "2 123456789012 eni-abc123de 10.0.0.256 10.0.0.2 443 50000 6 2 120 1623101047 1623101107 ACCEPT OK"
    }
    NotANumber = "not-a-number", Error {
        what: "A value should be a whole number and is none",
        why: "Numbers are plain decimals: no sign, no leading zero (which some readers take for octal), no fraction, no separators.",
        advice: "Correct the value.",
        example: "2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 0443 50000 6 2 120 1623101047 1623101107 ACCEPT OK"
    }
    OutOfRange = "out-of-range", Error {
        what: "A number is larger than its field can hold",
        why: "Ports end at 65535, protocols at 255.",
        advice: "Correct the value.",
        example: "2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 65543 50000 6 2 120 1623101047 1623101107 ACCEPT OK"
    }
    WrittenTime = "written-time", Error {
        what: "A time is written as a date, where AWS has Unix seconds",
        why: "Readers expect a number and skip the record or fail. A widely copied generator template writes RFC 3339.",
        advice: "Write the seconds since 1970.",
        example: "2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 120 2021-06-07T21:24:07Z 2021-06-07T21:25:07Z ACCEPT OK"
    }
    MillisecondTime = "millisecond-time", Error {
        what: "A time is in milliseconds or finer, where AWS has seconds",
        why: "Readers take it for a time tens of thousands of years ahead. Only the events of CloudWatch Logs have milliseconds, beside the record.",
        advice: "Divide by 1000.",
        example: "2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 120 1623101047000 1623101107000 ACCEPT OK"
    }
    ImpossibleTime = "impossible-time", Error {
        what: "A time lies before 2000 or after 2100",
        why: "There were no flow logs before 2015, and none can come from the next century.",
        advice: "Correct the time; 0 is often one that was never set.",
        example: "2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 120 0 1623101107 ACCEPT OK"
    }
    EndBeforeStart = "end-before-start", Error {
        what: "A record ends before it starts",
        why: "`end` is the time of the last packet and never earlier than that of the first.",
        advice: "Check whether the two columns are swapped.",
        example: "2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 120 1623101107 1623101047 ACCEPT OK"
    }
    LongInterval = "long-interval", Warning {
        what: "A record spans more than the aggregation interval",
        why: "A record holds the packets of one interval, 600 seconds at most and 60 on Nitro instances.",
        advice: "If the log has another interval, say so with `--max-aggregation-interval`.",
        example: "2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 120 1623101047 1623104647 ACCEPT OK"
    }
    UnknownWord = "unknown-word", Error {
        what: "A value is none of the words that its field has",
        why: "`action` is `ACCEPT` or `REJECT`, `log-status` `OK`, `NODATA` or `SKIPDATA`, and so on.",
        advice: "Use AWS's word.",
        example: "2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 120 1623101047 1623101107 ALLOW OK"
    }
    WordCase = "word-case", Error {
        what: "A word is in other letter case than AWS's",
        why: "Readers compare letter for letter: `accept` is not `ACCEPT`.",
        advice: "Write it as AWS does.",
        example: "2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 120 1623101047 1623101107 accept OK"
    }
    UnlistedValue = "unlisted-value", Warning {
        what: "A value is none of those that AWS's documentation lists for its field",
        why: "It is either wrong or newer than this program.",
        advice: "`flowtruth fields NAME` lists the values.",
        example: "srcaddr dstaddr flow-direction traffic-path log-status\n10.0.0.1 10.0.0.2 egress 9 OK"
    }
    OddAccount = "odd-account", Warning {
        what: "An account is not 12 digits and not `unknown`",
        why: "AWS accounts have 12 digits, zeros in front included; numbers lose these.",
        advice: "Write the account as text.",
        example: "2 12345678910 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 120 1623101047 1623101107 ACCEPT OK"
    }
    OddIdentifier = "odd-identifier", Warning {
        what: "An identifier does not look like one of AWS's",
        why: "They are a prefix (`eni-`, `vpc-`, `subnet-`, `i-`, `nat-`) and hexadecimal digits in lower case.",
        advice: "Check whether columns are in the wrong order.",
        example: "2 123456789012 eth0 10.0.0.1 10.0.0.2 443 50000 6 2 120 1623101047 1623101107 ACCEPT OK"
    }
    AddressSpelling = "address-spelling", Warning {
        what: "An IPv6 address is not in its usual form",
        why: "AWS writes lower case and the shortest form (RFC 5952); searching for that form misses any other.",
        advice: "Write the address as RFC 5952 has it.",
        example: "2 123456789012 eni-abc123de 2001:DB8::1 2001:db8:0:0:0:0:0:2 443 50000 6 2 160 1623101047 1623101107 ACCEPT OK"
    }
    MixedFamilies = "mixed-families", Error {
        what: "One address is IPv4 and the other IPv6, or `type` is of the other family",
        why: "A packet has two addresses of one family.",
        advice: "Correct the address or the type.",
        example: "2 123456789012 eni-abc123de 10.0.0.1 2001:db8::2 443 50000 6 2 160 1623101047 1623101107 ACCEPT OK"
    }
    IcmpFamily = "icmp-family", Error {
        what: "ICMP stands beside IPv6 addresses, or ICMPv6 beside IPv4 addresses",
        why: "Protocol 1 is ICMP of IPv4, protocol 58 that of IPv6.",
        advice: "Correct the protocol.",
        example: "2 123456789012 eni-abc123de 2001:db8::1 2001:db8::2 0 0 1 2 160 1623101047 1623101107 ACCEPT OK"
    }
    UnexpectedPorts = "unexpected-ports", Error {
        what: "A protocol without ports has some",
        why: "ICMP and other protocols without ports have `0 0`; type and code of ICMP are in no field.",
        advice: "Write 0 for both ports.",
        example: "2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 8 0 1 4 336 1623101047 1623101107 ACCEPT OK"
    }
    ZeroPackets = "zero-packets", Error {
        what: "A record of traffic has no packets",
        why: "A record exists because packets came; an interval without any is one NODATA record for the interface. A tutorial shows refusals with 0 packets.",
        advice: "Leave the record out, or write a NODATA record.",
        example: "2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 0 0 1623101047 1623101107 REJECT OK"
    }
    TooFewBytes = "too-few-bytes", Error {
        what: "The bytes are fewer than so many packets must have",
        why: "A packet has its IP header at least, 20 bytes (IPv4) or 40 (IPv6). A widely copied generator template writes packets times 15.",
        advice: "Count the length of the whole IP packets.",
        example: "2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 30 1623101047 1623101107 ACCEPT OK"
    }
    TooManyBytes = "too-many-bytes", Error {
        what: "The bytes are more than so many packets can have",
        why: "An IPv4 packet has 65,535 bytes at most, one of IPv6 65,575.",
        advice: "Check whether `packets` and `bytes` are swapped.",
        example: "2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 200000 1623101047 1623101107 ACCEPT OK"
    }
    FlagsWithoutTcp = "flags-without-tcp", Error {
        what: "A protocol other than TCP has TCP flags",
        why: "Only TCP has flags; other protocols have `-`, or 0.",
        advice: "Write `-`.",
        example: "srcaddr dstaddr protocol tcp-flags log-status\n10.0.0.1 10.0.0.2 17 2 OK"
    }
    ImpossibleFlags = "impossible-flags", Error {
        what: "The TCP flags have bits that AWS does not record",
        why: "FIN is 1, SYN 2, RST 4, and ACK 16 counts only beside SYN (a SYN-ACK is 18); PSH, URG and a plain ACK add nothing.",
        advice: "Leave the other bits out; 24 (PSH and ACK) becomes 0.",
        example: "srcaddr dstaddr protocol tcp-flags log-status\n10.0.0.1 10.0.0.2 6 24 OK"
    }
    VersionMismatch = "version-mismatch", Error {
        what: "The version is not the highest among the fields",
        why: "AWS's default format says 2, a custom format the highest version of its fields; transit gateways say 6. A published sample says 3 and has a field of version 8.",
        advice: "Write the version that the fields have; `flowtruth fields` says which.",
        example: "version srcaddr dstaddr log-status reject-reason\n3 10.0.0.1 10.0.0.2 OK -"
    }
    DataInNodata = "data-in-nodata", Error {
        what: "A NODATA or SKIPDATA record has values of traffic",
        why: "It says that there is no record, so addresses, ports, counters and the action are `-`.",
        advice: "Write `-`, or correct the status.",
        example: "2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 - - - - - 1623101047 1623101107 - NODATA"
    }
    MissingValue = "missing-value", Error {
        what: "A record lacks a value that it must have",
        why: "`-` is for what does not apply. A record of traffic has addresses, ports, protocol, packets and action; every record has a version, times and a status.",
        advice: "Fill the value in. `bytes` may be missing where Block Public Access refused the traffic.",
        example: "2 123456789012 eni-abc123de 10.0.0.1 - 443 50000 6 2 120 1623101047 1623101107 ACCEPT OK"
    }
    PathOfIngress = "path-of-ingress", Warning {
        what: "Incoming traffic has a `traffic-path`",
        why: "It says which way outgoing traffic takes, and is `-` for incoming traffic.",
        advice: "Write `-`, or correct the direction.",
        example: "srcaddr dstaddr flow-direction traffic-path log-status\n10.0.0.1 10.0.0.2 ingress 1 OK"
    }
    ReasonWithoutReject = "reason-without-reject", Error {
        what: "Traffic that was let through has a `reject-reason`",
        why: "The reason is of a refusal.",
        advice: "Write `-`, or correct the action.",
        example: "srcaddr dstaddr action reject-reason log-status\n10.0.0.1 10.0.0.2 ACCEPT BPA OK"
    }
    NeverLogged = "never-logged", Warning {
        what: "A record is of traffic that AWS never logs",
        why: "DHCP, the Amazon DNS server at 169.254.169.253, instance metadata, Time Sync and Windows activation are left out of flow logs.",
        advice: "Leave it out of logs that shall look like AWS's.",
        example: "2 123456789012 eni-abc123de 10.0.0.1 169.254.169.254 40000 80 6 5 400 1623101047 1623101107 ACCEPT OK"
    }
    DuplicateRecord = "duplicate-record", Warning {
        what: "A record is there twice, value for value",
        why: "AWS may deliver a record twice, but rarely; counters that are added up count it twice. Looked for among the last 32,768 records at least.",
        advice: "Check whether a file was read twice.",
        example: "2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 120 1623101047 1623101107 ACCEPT OK\n2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 120 1623101047 1623101107 ACCEPT OK"
    }
    AnsweredRefusal = "answered-refusal", Warning {
        what: "A request was refused, and yet its answer is there",
        why: "What a security group or network ACL refuses never arrives, so nobody answers: no SYN-ACK to a refused SYN, and of a refused ping one record, not two.",
        advice: "Check the actions; the refused direction of an answered connection is the answer's.",
        example: "2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 0 0 1 4 336 1623101047 1623101107 REJECT OK\n2 123456789012 eni-abc123de 10.0.0.2 10.0.0.1 0 0 1 4 336 1623101047 1623101107 REJECT OK"
    }
    EventTime = "event-time", Warning {
        what: "The time of a CloudWatch Logs event is not the start of its record",
        why: "AWS gives an event the record's `start` in milliseconds; queries by time find it elsewhere.",
        advice: "Set the event's `timestamp` to `start` times 1000.",
        example: "{\"events\": [{\"timestamp\": 1623101107000, \"message\": \"2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 120 1623101047 1623101107 ACCEPT OK\"}]}"
    }
    TargetFileFormat = "target-file-format", Error {
        what: "The consumer does not read logs of this kind",
        why: "It takes text, JSON or Parquet, not all of them.",
        advice: "Write the log with `convert --target`.",
        example: "vrl | {\"srcaddr\": \"10.0.0.1\", \"dstaddr\": \"10.0.0.2\", \"log_status\": \"OK\"}"
    }
    TargetFields = "target-fields", Error {
        what: "The consumer does not know these fields, or not in this order",
        why: "Some take values by their place, or know the fields of older versions only.",
        advice: "Write the log with `convert --target`, which chooses the fields.",
        example: "vrl | version srcaddr dstaddr log-status reject-reason\n8 10.0.0.1 10.0.0.2 OK -"
    }
    TargetHeader = "target-header", Error {
        what: "A header is missing or too many for the consumer",
        why: "Without the header that it expects the first record is lost or the file refused; a header that it does not expect is taken for a record.",
        advice: "Add the header (`convert --header`) or remove it (`tail -n +2`).",
        example: "athena | 2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 120 1623101047 1623101107 ACCEPT OK"
    }
    TargetName = "target-name", Error {
        what: "The consumer does not find a file of this name, or not without gzip",
        why: "`flowlogs-reader` takes the time from the object's name and skips what is named otherwise, silently.",
        advice: "Write the log with `convert --layout s3`, which names objects as AWS does.",
        example: "flowlogs-reader | version srcaddr dstaddr log-status\n2 10.0.0.1 10.0.0.2 OK"
    }
    TargetOrder = "target-order", Error {
        what: "A record starts before the one in front of it, and the consumer wants them in order",
        why: "`PutLogEvents` refuses a batch whose events are not in the order of time.",
        advice: "Sort the records by `start`.",
        example: "cloudwatch | 2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 443 50000 6 2 120 1623101047 1623101107 ACCEPT OK\n2 123456789012 eni-abc123de 10.0.0.2 10.0.0.1 50000 443 6 2 120 1623101046 1623101107 ACCEPT OK"
    }
    PortZero = "port-zero", Note {
        what: "TCP or UDP has the port 0",
        why: "No program uses port 0. It is possible: later fragments of a packet hold no ports.",
        advice: "Nothing, if there were fragments.",
        example: "2 123456789012 eni-abc123de 10.0.0.1 10.0.0.2 0 0 17 2 120 1623101047 1623101107 ACCEPT OK"
    }
}

/// The name.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The name.
impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
