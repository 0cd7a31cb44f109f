//! The short way: a line in AWS's default format, proved to be without a fault by its bytes alone.
//!
//! It takes what most lines are: the account has 12 digits, the interface is `eni-` and hexadecimal digits, the addresses are
//! IPv4, the protocol is TCP, UDP or an accepted ICMP, and all numbers agree with each other. What it does not take is not
//! wrong; the rules look at it.

use std::net::Ipv4Addr;

/// The seconds that a record may be of: from 2001-09-09, the first of ten digits, up to 2100. Those before are
/// left to the rules.
const FIRST: u64 = 1_000_000_000;
const LAST: u64 = 4_102_444_800;

/// The most bytes of an IPv4 packet, and the fewest.
const MOST: u64 = 65_535;
const LEAST: u64 = 20;

/// Whether a line, without its end, is a record of the default format in which no rule finds anything.
#[inline]
pub(super) fn is_clean(line: &[u8], max_aggregation_interval: u64) -> bool {
    look(line, max_aggregation_interval).is_some()
}

#[inline]
fn look(line: &[u8], interval: u64) -> Option<()> {
    let mut at = Cursor(line);
    at.literal(b"2 ")?;
    at.account()?;
    at.literal(b"eni-")?;
    at.identifier()?;
    let src = at.address()?;
    let dst = at.address()?;
    let srcport = at.number(5)?;
    let dstport = at.number(5)?;
    let protocol = at.number(3)?;
    let packets = at.number(10)?;
    let bytes = at.number(15)?;
    let start = at.number(10)?;
    let end = at.number(10)?;
    let is_accepted = match at.0 {
        b"ACCEPT OK" => true,
        b"REJECT OK" => false,
        _ => return None,
    };
    let link_local = Ipv4Addr::new(169, 254, 0, 0).to_bits() >> 16;
    let may_be_service = src >> 16 == link_local || dst >> 16 == link_local;
    let has_ports = srcport != 0 && dstport != 0 && srcport <= 65_535 && dstport <= 65_535;
    let agree = match protocol {
        6 => has_ports,
        // 67 and 68 are those of DHCP
        17 => has_ports && !((67..=68).contains(&srcport) && (67..=68).contains(&dstport)),
        // a refused ping may be answered in another record
        1 => srcport == 0 && dstport == 0 && is_accepted,
        _ => false,
    };
    let is_so = agree
        && !may_be_service
        && packets > 0
        && bytes >= packets * LEAST
        && bytes <= packets * MOST
        && start >= FIRST
        && end < LAST
        && start <= end
        && end - start <= interval;
    is_so.then_some(())
}

/// What is left of the line.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    #[inline]
    fn literal(&mut self, text: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    /// Twelve digits and a space.
    #[inline]
    fn account(&mut self) -> Option<()> {
        let (digits, rest) = self.0.split_first_chunk::<12>()?;
        // without a branch for each of them
        let all = digits.iter().fold(true, |all, byte| all & byte.is_ascii_digit());
        self.0 = rest;
        all.then_some(())?;
        self.literal(b" ")
    }

    /// Hexadecimal digits in lower case, at least one, and a space.
    #[inline]
    fn identifier(&mut self) -> Option<()> {
        let length = self.0.iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')).count();
        let rest = self.0.get(length..)?;
        self.0 = rest;
        (length > 0).then_some(())?;
        self.literal(b" ")
    }

    /// A number without zeros in front, of at most so many digits (15), and a space.
    #[inline]
    fn number(&mut self, digits: usize) -> Option<u64> {
        let (mut number, mut length) = (0_u64, 0);
        let mut bytes = self.0.iter();
        let first = *bytes.as_slice().first()?;
        loop {
            match *bytes.next()? {
                byte @ b'0'..=b'9' => {
                    length += 1;
                    if length > digits {
                        return None;
                    }
                    number = number * 10 + u64::from(byte - b'0');
                }
                b' ' if length > 0 => break,
                _ => return None,
            }
        }
        if first == b'0' && length > 1 {
            return None;
        }
        self.0 = bytes.as_slice();
        Some(number)
    }

    /// An IPv4 address and a space.
    #[inline]
    fn address(&mut self) -> Option<u32> {
        let mut address = 0_u32;
        for end in [b'.', b'.', b'.', b' '] {
            let octet = self.octet(end)?;
            address = address << 8 | octet;
        }
        Some(address)
    }

    /// A number of up to 255 without zeros in front, and what stands behind it.
    #[inline]
    fn octet(&mut self, end: u8) -> Option<u32> {
        let digit = |byte: &u8| {
            let digit = byte.wrapping_sub(b'0');
            (digit < 10).then_some(u32::from(digit))
        };
        let (octet, rest) = match self.0 {
            [a, b, rest @ ..] if *b == end => (digit(a)?, rest),
            [a, b, c, rest @ ..] if *c == end => (digit(a).filter(|a| *a > 0)? * 10 + digit(b)?, rest),
            [a, b, c, d, rest @ ..] if *d == end => {
                (digit(a).filter(|a| *a > 0)? * 100 + digit(b)? * 10 + digit(c)?, rest)
            }
            _ => return None,
        };
        self.0 = rest;
        (octet < 256).then_some(octet)
    }
}
