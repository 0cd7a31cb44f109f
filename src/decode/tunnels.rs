//! Which tunnels are opened: what `--decap` asks for.

use std::fmt;
use std::str::FromStr;

/// The set of tunnels that are opened, so that the packet inside counts (accounting rule 11).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tunnels {
    /// VXLAN (RFC 7348): how VPC Traffic Mirroring delivers packets.
    pub vxlan: bool,
    /// Geneve (RFC 8926): how a Gateway Load Balancer delivers packets.
    pub geneve: bool,
    /// GRE version 0 (RFC 2784, RFC 2890).
    pub gre: bool,
}

impl Tunnels {
    /// Every tunnel stays closed: the outermost IP header counts.
    pub const NONE: Tunnels = Tunnels { vxlan: false, geneve: false, gre: false };
    /// Every tunnel that can be opened is.
    pub const ALL: Tunnels = Tunnels { vxlan: true, geneve: true, gre: true };

    /// Whether every tunnel stays closed.
    #[inline]
    pub const fn is_empty(self) -> bool {
        !(self.vxlan || self.geneve || self.gre)
    }
}

/// What is wrong with a list of tunnels that was typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{word}` is not a tunnel that can be opened: expected `vxlan`, `geneve` or `gre`, separated by commas, or `all`"
)]
pub struct ParseTunnelsError {
    /// The word that is not known.
    pub word: String,
}

/// Names separated by commas, `vxlan,geneve,gre`, in any order; or `all`, or `none`.
impl FromStr for Tunnels {
    type Err = ParseTunnelsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut tunnels = Tunnels::NONE;
        match text {
            "none" => return Ok(Tunnels::NONE),
            "all" => return Ok(Tunnels::ALL),
            _ => {}
        }
        for word in text.split(',') {
            match word {
                "vxlan" => tunnels.vxlan = true,
                "geneve" => tunnels.geneve = true,
                "gre" => tunnels.gre = true,
                _ => return Err(ParseTunnelsError { word: word.to_owned() }),
            }
        }
        Ok(tunnels)
    }
}

/// What [`FromStr`] reads: `vxlan,gre`, or `none`.
impl fmt::Display for Tunnels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        let names = [(self.vxlan, "vxlan"), (self.geneve, "geneve"), (self.gre, "gre")];
        for (index, (_, name)) in names.iter().filter(|(opened, _)| *opened).enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_prints() {
        for bits in 0..8 {
            let tunnels = Tunnels { vxlan: bits & 1 != 0, geneve: bits & 2 != 0, gre: bits & 4 != 0 };
            assert_eq!(tunnels.to_string().parse(), Ok(tunnels));
        }
        assert_eq!("vxlan,geneve,gre".parse(), Ok(Tunnels::ALL));
        assert_eq!("gre,vxlan,gre".parse(), Ok(Tunnels { vxlan: true, geneve: false, gre: true }));
    }

    #[test]
    fn names_the_word_it_does_not_know() {
        for (text, word) in
            [("", ""), ("vxlan,", ""), ("VXLAN", "VXLAN"), ("gre,l2tp", "l2tp"), ("none,gre", "none")]
        {
            let error = text.parse::<Tunnels>().unwrap_err();
            assert_eq!(error.word, word);
            assert!(error.to_string().starts_with(&format!("`{word}` is not a tunnel")), "{error}");
        }
    }
}
