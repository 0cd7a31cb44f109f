//! What was named for each side: captures or logs, told apart by their first bytes.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flowtruth::capture::{CaptureInput, Openable};
use flowtruth::pipeline::{DiffSide, LogInput, Progress};
use flowtruth::record::LogFormat;
use flowtruth::store::StoreTrouble;
use flowtruth::vpc::Vpc;

use crate::cli::identity::Identity;
use crate::cli::kind::{Kind, head, in_directory, kind};
use crate::cli::live;
use crate::cli::messages::{Trouble, clean};
use crate::cli::objects::{self, Found, Objects};
use crate::cli::settings::check_outputs;
use crate::cli::vpc::load::{Loaded, load, warn};

type Named = (Vec<PathBuf>, Vec<PathBuf>);

/// The files of either side: the first two by place, the others by option.
pub fn named(
    sides: Vec<PathBuf>,
    mut references: Vec<PathBuf>,
    mut candidates: Vec<PathBuf>,
) -> Result<Named, Trouble> {
    let mut sides = sides.into_iter();
    // with one side given by option alone, a file by place is the other side's
    let first_is_candidate = !references.is_empty() && candidates.is_empty() && sides.len() == 1;
    if let Some(first) = sides.next() {
        if first_is_candidate { candidates.insert(0, first) } else { references.insert(0, first) }
    }
    if let Some(second) = sides.next() {
        candidates.insert(0, second);
    }
    let missing = match (references.is_empty(), candidates.is_empty()) {
        (true, true) => "the reference and the candidate",
        (true, false) => "the reference",
        (false, true) => "the candidate",
        (false, false) => return Ok((references, candidates)),
    };
    Err(Trouble::new(format!("{missing} to compare must be named"))
        .with_hint("such as `flowtruth diff capture.pcap flow.log`"))
}

/// What is opened for both sides.
pub struct Opened {
    progress: Arc<Progress>,
    quiet: bool,
    reads_standard_input: bool,
    /// The size of all captures in bytes, where all are regular files.
    pub total_bytes: Option<u64>,
    /// The captures that can be read again.
    pub captures: Vec<PathBuf>,
    /// The same in a store.
    pub objects: Vec<Openable>,
    /// Whether there are captures that cannot.
    pub has_streams: bool,
    store: Objects,
    /// Every regular file that is read.
    files: Vec<(PathBuf, Identity)>,
}

impl Opened {
    pub fn new(progress: &Arc<Progress>, quiet: bool) -> Opened {
        let progress = Arc::clone(progress);
        Opened {
            progress,
            quiet,
            reads_standard_input: false,
            total_bytes: Some(0),
            captures: Vec::new(),
            objects: Vec::new(),
            has_streams: false,
            store: Objects::default(),
            files: Vec::new(),
        }
    }

    /// An error if a file that is to be written is one that is read.
    pub fn refuse_to_overwrite(&self, path: &Path) -> Result<(), Trouble> {
        check_outputs(Some(path), None, &self.files)
    }

    /// Reads the description of the VPC, where there is one, and warns of what is missing from it.
    pub fn vpc(&mut self, paths: &[PathBuf]) -> Result<Option<Arc<Vpc>>, Trouble> {
        if paths.is_empty() {
            return Ok(None);
        }
        let Loaded { vpc, files } = load(paths)?;
        self.files.extend(files);
        warn(&vpc, false);
        Ok(Some(vpc))
    }

    /// Opens the files of one side, which must be of one kind.
    pub fn side(
        &mut self,
        name: &str,
        paths: &[PathBuf],
        format: Option<LogFormat>,
    ) -> Result<DiffSide, Trouble> {
        let (mut captures, mut logs) = (Vec::new(), Vec::new());
        for path in paths {
            if path.as_os_str() == "-" {
                self.standard_input(&mut captures, &mut logs)?;
            } else if let Some(found) = self.store.find(path) {
                self.objects(path, found?, &mut captures, &mut logs)?;
            } else if path.is_dir() {
                self.directory(path, &mut captures, &mut logs)?;
            } else {
                self.file(path, &mut captures, &mut logs)?;
            }
        }
        match (captures.is_empty(), logs.is_empty()) {
            (false, true) => Ok(DiffSide::Captures(captures)),
            (true, _) => Ok(DiffSide::Logs(logs, format)),
            (false, false) => Err(Trouble::new(format!("the {name} is made of captures and of flow logs"))
                .with_hint("a side is either; name the captures for one and the logs for the other")),
        }
    }

    fn standard_input(
        &mut self,
        captures: &mut Vec<CaptureInput>,
        logs: &mut Vec<LogInput>,
    ) -> Result<(), Trouble> {
        if self.reads_standard_input {
            return Err(Trouble::new("standard input is named twice; it can be read once"));
        }
        if io::stdin().is_terminal() {
            return Err(Trouble::new("standard input is a terminal, expected a capture or a flow log"));
        }
        self.reads_standard_input = true;
        self.total_bytes = None;
        self.reader("standard input", live::standard_input(&self.progress), captures, logs)
    }

    fn reader(
        &mut self,
        name: &str,
        mut reader: Box<dyn Read + Send>,
        captures: &mut Vec<CaptureInput>,
        logs: &mut Vec<LogInput>,
    ) -> Result<(), Trouble> {
        let head = head(&mut reader).map_err(|error| cannot_read(name, error))?;
        let kind = kind(&head, None);
        let whole: Box<dyn Read + Send> = Box::new(io::Cursor::new(head).chain(reader));
        match kind {
            Kind::Capture => {
                self.has_streams = true;
                captures.push(CaptureInput::Reader(name.to_owned(), whole));
            }
            Kind::Log => logs.push(LogInput::Reader(name.to_owned(), whole)),
        }
        Ok(())
    }

    fn file(
        &mut self,
        path: &Path,
        captures: &mut Vec<CaptureInput>,
        logs: &mut Vec<LogInput>,
    ) -> Result<(), Trouble> {
        let cannot = |error| {
            Trouble::new(format!("`{}` cannot be opened", clean(&path.display().to_string())))
                .caused_by(error)
        };
        let metadata = path.metadata().map_err(cannot)?;
        if !metadata.is_file() {
            self.total_bytes = None;
            let reader = live::open(path, &self.progress).map_err(cannot)?;
            return self.reader(&path.display().to_string(), reader, captures, logs);
        }
        let mut file = File::open(path).map_err(cannot)?;
        self.files.extend(Identity::of_file(path).map(|identity| (path.to_path_buf(), identity)));
        match kind(&head(&mut file).map_err(cannot)?, Some(path)) {
            Kind::Capture => {
                self.total_bytes = self.total_bytes.map(|total| total + metadata.len());
                self.captures.push(path.to_path_buf());
                captures.push(CaptureInput::Path(path.to_path_buf()));
            }
            Kind::Log => logs.push(LogInput::Path(path.to_path_buf())),
        }
        Ok(())
    }

    fn objects(
        &mut self,
        path: &Path,
        found: Found,
        captures: &mut Vec<CaptureInput>,
        logs: &mut Vec<LogInput>,
    ) -> Result<(), Trouble> {
        let (kind, chosen) = match found {
            Found::Object(object) => {
                let first =
                    head(&mut objects::open(&object)?).map_err(|error| cannot_read(object.name(), error))?;
                (kind(&first, Some(path)), vec![object])
            }
            Found::Below(below) => objects::of_one_kind(path, below, self.quiet)?,
        };
        for object in chosen {
            let path = PathBuf::from(object.name());
            self.files.extend(Identity::of_file(&path).map(|identity| (path, identity)));
            match kind {
                Kind::Capture => {
                    self.total_bytes = self.total_bytes.map(|total| total + object.size());
                    self.objects.push(object.clone());
                    captures.push(CaptureInput::Openable(object));
                }
                Kind::Log => logs.push(LogInput::Openable(object)),
            }
        }
        Ok(())
    }

    /// The captures of a directory, or the logs in it and below if it has no captures.
    fn directory(
        &mut self,
        path: &Path,
        captures: &mut Vec<CaptureInput>,
        logs: &mut Vec<LogInput>,
    ) -> Result<(), Trouble> {
        let shown = clean(&path.display().to_string());
        let cannot = |error| Trouble::new(format!("`{shown}` cannot be read")).caused_by(error);
        let chosen = in_directory(path).map_err(cannot)?.files;
        if chosen.is_empty() {
            return Err(Trouble::new(format!("`{shown}` holds neither captures nor flow logs")));
        }
        if !self.quiet {
            crate::cli::messages::say(format_args!("`{shown}`: {} taken", chosen.len()));
        }
        chosen.iter().try_for_each(|file| self.file(file, captures, logs))
    }
}

fn cannot_read(name: &str, error: io::Error) -> Trouble {
    let hint = StoreTrouble::hint_behind(&error);
    let trouble = Trouble::new(format!("`{}` cannot be read", clean(name))).caused_by(error);
    match hint {
        Some(hint) => trouble.with_hint(hint),
        None => trouble,
    }
}
