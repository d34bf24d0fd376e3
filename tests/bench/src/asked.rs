//! What the command line asks for.

use std::path::PathBuf;

use crate::Failure;

const USAGE: &str = "cargo bench -p bench [-- [--bootstraps DIR] [--budgets | --write-docs]]
  --bootstraps DIR  measure DIR/<Name>Function/bootstrap, as `sam build` leaves them, and build no function
  --budgets         hold sizes and starts against their budgets, and measure nothing else
  --write-docs      put the tables into docs/benchmarks.md and the picture beside this program";

/// The wishes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Where the functions are built already.
    pub(crate) bootstraps: Option<PathBuf>,
    /// Whether only what has a budget is measured.
    pub(crate) budgets: bool,
    /// Whether the documented tables and the picture are to be rewritten.
    pub(crate) write_docs: bool,
}

impl Asked {
    /// Reads what follows the program's name.
    pub(crate) fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut asked = Self::default();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--bootstraps" => asked.bootstraps = Some(arguments.next().ok_or(USAGE)?.into()),
                "--budgets" => asked.budgets = true,
                "--write-docs" => asked.write_docs = true,
                "--bench" => {} // cargo says it to every benchmark
                _ => return Err(USAGE.into()),
            }
        }
        if asked.budgets && asked.write_docs { Err(USAGE.into()) } else { Ok(asked) }
    }
}

#[cfg(test)]
mod tests {
    use super::Asked;

    fn read(line: &str) -> Option<Asked> {
        Asked::read(line.split_whitespace().map(str::to_owned)).ok()
    }

    #[test]
    fn cargos_own_arguments_change_nothing() {
        assert_eq!(read("--bench"), Some(Asked::default()));
    }

    #[test]
    fn an_unknown_argument_is_refused() {
        assert_eq!(read("--bench --fast"), None);
        assert_eq!(read("--bootstraps"), None);
        assert_eq!(read("--budgets --write-docs"), None);
    }

    #[test]
    fn bootstraps_may_be_built_already() {
        let asked = Asked { bootstraps: Some("built".into()), budgets: false, write_docs: true };

        assert_eq!(read("--bootstraps built --write-docs --bench"), Some(asked));
    }
}
