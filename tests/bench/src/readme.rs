//! The README's tables and the picture, kept as they were measured last.

use crate::{Failure, programs::root};

/// The tables stand between these.
const BEGIN: &str = "<!-- What follows is written by `cargo bench -p bench -- --write-readme`. -->\n";
const END: &str = "<!-- What was written ends here. -->";

/// Puts `tables` into the README, and `picture` into the file that it shows.
pub(crate) fn write(tables: &str, picture: &str) -> Result<(), Failure> {
    let file = root().join("README.md");
    let changed =
        replaced(&std::fs::read_to_string(&file)?, tables).ok_or("README.md has no place for the tables")?;
    std::fs::write(&file, changed)?;
    Ok(std::fs::write(root().join("tests/bench/start.svg"), picture)?)
}

fn replaced(readme: &str, tables: &str) -> Option<String> {
    let (before, rest) = readme.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{tables}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, replaced};

    #[test]
    fn what_stands_around_the_tables_stays() {
        let readme = format!("before\n{BEGIN}old\n{END}\nafter\n");

        assert_eq!(replaced(&readme, "new\n"), Some(format!("before\n{BEGIN}\nnew\n\n{END}\nafter\n")));
    }

    #[test]
    fn a_readme_without_a_place_is_left_alone() {
        assert_eq!(replaced("before\nafter\n", "new"), None);
    }

    #[test]
    fn the_readme_has_a_place() {
        let readme = std::fs::read_to_string(super::root().join("README.md")).unwrap();

        assert!(replaced(&readme, "new").is_some());
    }
}
