//! The programs that are measured, and how they are built.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde::Deserialize;

use crate::Failure;

/// The functions' release binaries.
#[derive(Debug)]
pub(crate) struct Programs {
    /// By the names of their packages.
    pub(crate) functions: BTreeMap<String, PathBuf>,
}

/// The release binaries that `publish` is compared with.
#[derive(Debug)]
pub(crate) struct Others {
    /// The least that a function can be.
    pub(crate) floor: PathBuf,
    /// `publish`, as a tutorial would write it.
    pub(crate) tutorial: PathBuf,
}

impl Others {
    /// Builds them, each with its own lock file.
    pub(crate) fn build() -> Result<Self, Failure> {
        let built = |name: &str| -> Result<PathBuf, Failure> {
            let folder = root().join("tests/bench").join(name);
            let mut built = build(&folder, &[name.to_owned()])?;
            Ok(built.remove(name).ok_or("cargo built another program")?)
        };
        Ok(Self { floor: built("floor")?, tutorial: built("tutorial")? })
    }
}

/// One line of what cargo tells while it builds.
#[derive(Deserialize)]
struct Told {
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// The folder that the project lies in.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}

impl Programs {
    /// Builds them, unless `bootstraps` holds them.
    pub(crate) fn build(bootstraps: Option<&Path>) -> Result<Self, Failure> {
        let names = names()?;
        let functions = match bootstraps {
            Some(folder) => names.into_iter().map(|name| (name.clone(), bootstrap(folder, &name))).collect(),
            None => build(root(), &names)?,
        };
        for program in functions.values() {
            if !program.is_file() {
                return Err(format!("{} is missing", program.display()).into());
            }
        }
        Ok(Self { functions })
    }

    /// One of the functions.
    pub(crate) fn function(&self, name: &str) -> Result<&Path, Failure> {
        self.functions
            .get(name)
            .map(PathBuf::as_path)
            .ok_or_else(|| format!("there is no function {name}").into())
    }
}

/// The names of all functions' packages.
fn names() -> Result<Vec<String>, Failure> {
    let folders = std::fs::read_dir(root().join("functions"))?;
    Ok(folders
        .map(|folder| Ok(folder?.file_name().to_string_lossy().into_owned()))
        .collect::<std::io::Result<_>>()?)
}

/// Where `sam build` leaves a function: `admin-save` is `AdminSaveFunction`.
fn bootstrap(folder: &Path, name: &str) -> PathBuf {
    let words = name.split('-').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    });
    folder.join(words.collect::<String>() + "Function").join("bootstrap")
}

/// Builds `packages` of the workspace at `folder`, with what its lock file says: the binaries by name.
fn build(folder: &Path, packages: &[String]) -> Result<BTreeMap<String, PathBuf>, Failure> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--locked", "--message-format=json-render-diagnostics"]);
    cargo.args(packages.iter().flat_map(|package| ["--package", package]));
    let output = cargo.current_dir(folder).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{} does not build", folder.display()).into());
    }
    let told = String::from_utf8(output.stdout)?;
    let mut built = BTreeMap::new();
    for line in told.lines() {
        if let Told { target: Some(target), executable: Some(executable) } = serde_json::from_str(line)? {
            built.insert(target.name, executable);
        }
    }
    Ok(built)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn a_function_lies_where_sam_build_leaves_it() {
        let found = super::bootstrap(Path::new("built"), "oauth-callback");

        assert_eq!(found, Path::new("built/OauthCallbackFunction/bootstrap"));
    }

    #[test]
    fn every_function_is_measured() {
        assert!(super::names().unwrap().contains(&"publish".to_owned()));
        assert_eq!(super::names().unwrap().len(), 12);
    }
}
