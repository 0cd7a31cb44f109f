//! A question, and what it is about.

use serde::Serialize;

/// A question with choices, of which one is right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Question {
    /// What it is about.
    pub subject: Subject,
    /// Lines to look at: packets, records.
    pub shown: Vec<String>,
    /// What is asked.
    pub text: String,
    /// What can be answered.
    pub choices: Vec<String>,
    /// Which of the choices is right, from 0.
    pub answer: usize,
    /// Why.
    pub explanation: String,
    /// The page that says more, a path in the repository.
    pub page: &'static str,
}

impl Question {
    /// The right choice.
    pub fn right(&self) -> &str {
        self.choices.get(self.answer).map_or("", String::as_str)
    }
}

macro_rules! subjects {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $page:literal;)*) => {
        /// What a question is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Subject {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl Subject {
            /// All of them.
            pub const ALL: [Subject; [$($name),*].len()] = [$(Subject::$variant),*];

            /// Its name, as JSON and the command line have it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Subject::$variant => $name,)*
                }
            }

            /// The subject of this exact name.
            pub fn from_name(name: &str) -> Option<Subject> {
                Subject::ALL.into_iter().find(|subject| subject.name() == name)
            }

            /// The lesson that it belongs to.
            pub const fn page(self) -> &'static str {
                match self {
                    $(Subject::$variant => concat!("docs/lessons/", $page, ".md"),)*
                }
            }
        }
    };
}

subjects! {
    /// Which record a packet is counted in.
    WhichRecord = "which-record", "3-windows-and-directions";
    /// Which of the two ports is whose.
    Ports = "ports", "1-fourteen-fields";
    /// What a packet adds to `bytes`.
    PacketBytes = "packet-bytes", "2-bytes";
    /// How many packets one direction has.
    PacketCount = "packet-count", "3-windows-and-directions";
    /// Why there are two records.
    TwoRecords = "two-records", "3-windows-and-directions";
    /// What `start` and `end` hold.
    StartEnd = "start-end", "3-windows-and-directions";
    /// How many records another interval makes of a flow.
    Interval = "interval", "3-windows-and-directions";
    /// What `tcp-flags` adds up to.
    TcpFlags = "tcp-flags", "1-fourteen-fields";
    /// What `protocol` holds.
    Protocol = "protocol", "1-fourteen-fields";
    /// What of a packet is in its record.
    Survives = "survives", "8-wireshark-and-tcpdump";
    /// What is in no record.
    NoRecord = "no-record", "5-never-logged";
    /// What AWS never logs although it was captured.
    NeverLogged = "never-logged", "5-never-logged";
    /// What the log shows where a rule refuses.
    Rules = "rules", "4-accept-and-reject";
    /// What `-` means, and 0.
    Missing = "missing", "1-fourteen-fields";
}
