//! Files and folders → the VPC.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flowtruth::vpc::{ModelBuilder, ProblemKind, Vpc};

use crate::cli::identity::Identity;
use crate::cli::messages::{Trouble, clean, hint, warning};

/// How many problems are named before the rest is counted.
const NAMED: usize = 6;

/// The VPC, and the files that it was read from.
pub struct Loaded {
    pub vpc: Arc<Vpc>,
    pub files: Vec<(PathBuf, Identity)>,
}

/// Reads the VPC that these files and folders describe.
pub fn load(paths: &[PathBuf]) -> Result<Loaded, Trouble> {
    let mut builder = ModelBuilder::default();
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let found = folder(path)?;
            if found.is_empty() {
                return Err(Trouble::new(format!("`{}` has no file in it", path.display()))
                    .with_hint("`docs/vpc.md` lists the commands whose output belongs there"));
            }
            for file in found {
                add(&mut builder, &file, &mut files)?;
            }
        } else {
            add(&mut builder, path, &mut files)?;
        }
    }
    Ok(Loaded { vpc: Arc::new(Vpc::new(builder.finish())), files })
}

/// The files of a folder in the order of their names; hidden ones and what is no JSON or TOML by its name or its first
/// character is left alone.
fn folder(path: &Path) -> Result<Vec<PathBuf>, Trouble> {
    let trouble = |error| Trouble::new(format!("cannot read `{}`", path.display())).caused_by(error);
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(trouble)? {
        let file = entry.map_err(trouble)?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || !file.is_file() {
            continue;
        }
        let named = [".json", ".toml"].iter().any(|ending| name.ends_with(ending));
        let begins_as_json =
            || fs::read(&file).is_ok_and(|bytes| bytes.trim_ascii_start().first() == Some(&b'{'));
        if named || begins_as_json() {
            files.push(file);
        } else {
            warning(format_args!(
                "`{}` is neither JSON nor TOML and left alone",
                clean(&file.display().to_string())
            ));
        }
    }
    files.sort();
    Ok(files)
}

fn add(builder: &mut ModelBuilder, path: &Path, files: &mut Vec<(PathBuf, Identity)>) -> Result<(), Trouble> {
    let identity = Identity::of_file(path);
    if identity.is_some() && files.iter().any(|(_, known)| Some(known) == identity.as_ref()) {
        // named twice: it has said what it says
        return Ok(());
    }
    let name = path.display().to_string();
    let bytes =
        fs::read(path).map_err(|error| Trouble::new(format!("cannot read `{name}`")).caused_by(error))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Trouble::new(format!("`{name}` is no text: byte {} is not UTF-8", at + 1))
            .with_hint("it takes JSON of the AWS CLI or TOML, not compressed")
    })?;
    files.extend(identity.map(|identity| (path.to_owned(), identity)));
    builder.add(&name, &text).map_err(|error| {
        let advice = error.hint.clone();
        let trouble = Trouble::new(error.to_string());
        match advice {
            Some(advice) => trouble.with_hint(advice),
            None => trouble,
        }
    })
}

/// Warns of what is missing from a model or contradicts itself; of routes only where they are shown.
pub fn warn(vpc: &Vpc, with_routes: bool) {
    let problems = &vpc.model().problems;
    let serious: Vec<_> = problems
        .iter()
        .filter(|problem| match problem.kind {
            ProblemKind::Elsewhere => false,
            ProblemKind::MissingRoute => with_routes,
            _ => true,
        })
        .collect();
    for problem in serious.iter().take(NAMED) {
        warning(format_args!("{}: {}", problem.kind, clean(&problem.to_string())));
    }
    if serious.len() > NAMED {
        warning(format_args!("and {} more like these", serious.len() - NAMED));
        hint("`flowtruth inspect --vpc` lists what is missing from the VPC");
    }
}
