//! The tables in `docs/benchmarks.md` and the picture: as they were measured last.

use crate::{Failure, programs::root};

/// Where the tables are documented.
const DOCUMENT: &str = "docs/benchmarks.md";
/// The tables stand between these two lines.
const BEGIN: &str = "<!-- Written by `cargo bench -p bench -- --write-docs`, up to the next comment. -->\n";
const END: &str = "<!-- End of what the benchmark writes. -->";

/// Puts `tables` into the document, and `picture` into the file that it shows.
pub(crate) fn write(tables: &str, picture: &str) -> Result<(), Failure> {
    let file = root().join(DOCUMENT);
    let changed = replaced(&std::fs::read_to_string(&file)?, tables)
        .ok_or_else(|| format!("{DOCUMENT} has no place for the tables"))?;
    std::fs::write(&file, changed)?;
    Ok(std::fs::write(root().join("tests/bench/start.svg"), picture)?)
}

fn replaced(document: &str, tables: &str) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{tables}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, DOCUMENT, END, replaced};

    #[test]
    fn text_around_the_tables_stays() {
        let document = format!("before\n{BEGIN}old\n{END}\nafter\n");

        assert_eq!(replaced(&document, "new\n"), Some(format!("before\n{BEGIN}\nnew\n\n{END}\nafter\n")));
    }

    #[test]
    fn a_document_without_a_place_is_left_alone() {
        assert_eq!(replaced("before\nafter\n", "new"), None);
    }

    #[test]
    fn the_document_has_a_place() {
        let document = std::fs::read_to_string(super::root().join(DOCUMENT)).unwrap();

        assert!(replaced(&document, "new").is_some());
    }
}
