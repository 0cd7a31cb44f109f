//! `generate`: a scenario in, a folder with a capture, a flow log, a VPC and the truth out.
//!
//! 1. [`read_scenario`] has the VPC's words read by `vpc` and all others by `generate`: one file, two readers.
//! 2. [`generate`] runs it and writes what it yields as it comes (`files`); the truth at the end, unless there is so much
//!    that it is written as it comes too (`truth`).
//!
//! What the log shows of the VPC (identity, paths, next hops) is looked up there. No verdict is: those are the
//! scenario's.

mod adversarial;
mod files;
mod truth;

use std::io;
use std::path::Path;

pub use self::adversarial::write_adversarial;
use self::files::Files;
use super::Progress;
use crate::diff::Cause;
use crate::generate::{Extent, GenerateError, Interface, Outcome, Scenario, ScenarioError, locate, run};
use crate::record::LogFormat;
use crate::vpc::{FlowLog, Mac, ModelBuilder, Place, TOML_WORDS, Vpc, VpcError, VpcModel};

/// A scenario and the VPC that it plays in.
#[derive(Debug)]
pub struct ReadScenario {
    /// The scenario.
    pub scenario: Scenario,
    /// The VPC.
    pub model: VpcModel,
}

/// The advice that is left where there is none for the very mistake.
const WORDS_OF_SCENARIOS: &str = "`docs/scenarios.md` says what each word takes";
const WORDS_OF_VPCS: &str = "`docs/vpc.md` says what each word of a VPC takes";

/// Why a scenario could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadScenarioError {
    /// Its traffic.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// Its VPC; the line and the column are in front, where they are known.
    #[error("`{}`{at}: {}", error.place.file, error.what)]
    Vpc {
        /// `, line 3, column 1`, or the path in the file.
        at: String,
        /// What is wrong.
        error: VpcError,
    },
}

impl ReadScenarioError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            ReadScenarioError::Scenario(error) => error.hint.as_deref().or(Some(WORDS_OF_SCENARIOS)),
            ReadScenarioError::Vpc { error, .. } => error.hint.as_deref().or(Some(WORDS_OF_VPCS)),
        }
    }
}

/// Which container captures are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Container {
    /// pcap, unless the capture loses packets, which only pcapng can say.
    #[default]
    Fitting,
    /// pcapng.
    Pcapng,
}

/// What is written, and how much.
#[derive(Clone, Debug, Default)]
pub struct GenerateOptions {
    /// The log's format; the scenario's, if `None`.
    pub format: Option<LogFormat>,
    /// Whether the log begins with a header line.
    pub header: bool,
    /// Seconds that one record spans at most; the scenario's, if `None`.
    pub interval: Option<u32>,
    /// What random numbers depend on; the scenario's, if `None`.
    pub seed: Option<u64>,
    /// How long it goes on.
    pub extent: Extent,
    /// The capture's container.
    pub container: Container,
    /// Bytes after which another capture begins.
    pub split: Option<u64>,
}

/// What was written.
#[derive(Clone, Debug)]
pub struct Generated {
    /// What the run came to.
    pub outcome: Outcome,
    /// The files' names in the folder, the captures first.
    pub files: Vec<String>,
    /// Bytes of the captures.
    pub capture_bytes: u64,
    /// Records in the log.
    pub records: u64,
    /// Flows in the truth, counted at each interface.
    pub flows: u64,
}

/// Why writing broke off.
#[derive(Debug, thiserror::Error)]
pub enum WriteScenarioError {
    /// A file could not be written.
    #[error("cannot write `{name}`")]
    File {
        /// Its name in the folder.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// It was stopped.
    #[error("interrupted")]
    Interrupted,
}

/// Reads a scenario; `name` is its name, `file` the file's in messages.
///
/// # Errors
/// [`ReadScenarioError`], at the first thing that cannot be.
pub fn read_scenario(name: &str, file: &str, text: &str) -> Result<ReadScenario, ReadScenarioError> {
    // the scenario's reader says in which line a word is misspelt, so it comes first as far as it can
    Scenario::check_words(file, text, &TOML_WORDS)?;
    let mut builder = ModelBuilder::default();
    builder.add(file, text).map_err(|error| {
        let at = match locate(text, &error.place.path) {
            Some((line, column)) => format!(", line {line}, column {column}"),
            None => format!(", {}", error.place.path),
        };
        ReadScenarioError::Vpc { at, error }
    })?;
    let mut model = builder.finish();
    for (number, interface) in (1_u16..).zip(&mut model.interfaces) {
        let [high, low] = number.to_be_bytes();
        interface.mac.get_or_insert(Mac([2, 0, 0, 1, high, low]));
    }
    let vpc = Vpc::new(model.clone());
    let interfaces = model.interfaces.iter().map(|interface| Interface {
        id: interface.id.clone(),
        addresses: interface.addresses.clone(),
        mac: interface.mac.map_or([0; 6], |mac| mac.0),
        identity: vpc.interface_named(&interface.id).map(|at| vpc.identity(at)).unwrap_or_default(),
    });
    let scenario = Scenario::read(name, file, text, interfaces.collect())?;
    check_causes(file, text, &scenario)?;
    Ok(ReadScenario { scenario, model })
}

/// Refuses causes that `diff` cannot give.
fn check_causes(file: &str, text: &str, scenario: &Scenario) -> Result<(), ScenarioError> {
    let is_known = |code: &String| Cause::ALL.iter().any(|cause| cause.code() == code);
    let Some(code) = scenario.expected.causes.iter().find(|code| !is_known(code)) else { return Ok(()) };
    let (line, column) = locate(text, "expected.causes").unwrap_or((1, 1));
    let what = format!("`{code}` is no cause of `diff`");
    let hint = Some("`docs/causes.md` has all of them".to_owned());
    Err(ScenarioError { file: file.to_owned(), line, column, what, hint })
}

/// Runs a scenario and writes what it yields into a folder that is there and empty.
///
/// # Errors
/// [`GenerateError`]: a file cannot be written, time ends, or it was stopped by [`Progress::interrupt`].
pub fn generate(
    read: &ReadScenario,
    folder: &Path,
    options: &GenerateOptions,
    progress: &Progress,
) -> Result<Generated, GenerateError<WriteScenarioError>> {
    let mut scenario = read.scenario.clone();
    scenario.seed = options.seed.unwrap_or(scenario.seed);
    scenario.log.interval = options.interval.map_or(scenario.log.interval, i64::from);
    scenario.log.format = options.format.clone().unwrap_or(scenario.log.format);
    let mut model = read.model.clone();
    model.flow_logs = flow_logs(&scenario, &model);
    let mut files =
        Files::create(folder, &scenario, &model, options, progress).map_err(GenerateError::Sink)?;
    let outcome = run(&scenario, options.extent, files.shows_packets(), &mut files)?;
    files.finish(&scenario, outcome).map_err(GenerateError::Sink)
}

/// The flow log of each VPC, as it is configured.
fn flow_logs(scenario: &Scenario, model: &VpcModel) -> Vec<FlowLog> {
    let of_vpc = |(number, vpc): (usize, &crate::vpc::VpcDescription)| FlowLog {
        id: format!("fl-{number:08x}"),
        resource: Some(vpc.id.clone()),
        format: Some(scenario.log.format.clone()),
        interval: u32::try_from(scenario.log.interval).ok(),
        traffic_type: Some("ALL".to_owned()),
        tag_fields: Vec::new(),
        place: Place::default(),
    };
    (1..).zip(&model.vpcs).map(of_vpc).collect()
}
