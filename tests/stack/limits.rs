//! `docs/limits.md` lists every limit of the code with the value that it has there, and no others.

use std::{collections::BTreeMap, fs, path::Path};

/// Where the limits are documented.
const DOCUMENT: &str = "docs/limits.md";
/// The head of the tables that are compared.
const HEAD: &str = "| constant | file | value | what it bounds |";
/// Types that limits have.
const TYPES: [&str; 9] = ["usize", "i32", "u8", "u16", "u32", "u64", "i64", "Duration", "SignedDuration"];
/// The folders whose numeric constants have to be listed.
const FOLDERS: [&str; 10] = [
    "shared/adapters/src",
    "shared/app/src",
    "shared/delivery/src",
    "shared/domain/src",
    "shared/edge/src",
    "shared/fetch/src",
    "shared/pages/src",
    "shared/pinterest/src",
    "shared/platform/src",
    "shared/store/src",
];

/// Numbers that bound nothing: units of time and size, ports, and a code of Pinterest's.
const NO_LIMITS: [&str; 7] =
    ["DAY", "DEFAULT_PORTS", "MB", "MINUTE", "SECOND", "SECONDS_PER_DAY", "UNDECIDED"];

/// Name and file of a constant.
type Place = (String, String);

#[test]
fn the_document_lists_every_limit_with_its_value() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let read_file = |file: &str| fs::read_to_string(root.join(file)).unwrap_or_default();
    let documented = documented(&read_file(DOCUMENT));
    assert!(documented.len() > 100, "the tables were found");

    let mut complaints = Vec::new();
    for ((name, file), value) in &documented {
        let source = code(&read_file(file));
        match constant(&source, name) {
            None => complaints.push(format!("{file} has no constant {name}")),
            Some(expression) => {
                let unit = if name.contains("DAYS") { 86_400.0 } else { 1.0 };
                let actual = evaluate(expression, &source, &documented);
                let actual = actual.map(|values| values.into_iter().map(|value| value * unit).collect());
                if actual.as_ref() != Some(value) {
                    complaints.push(format!("{name} in {file} is {expression}, documented as {value:?}"));
                }
            }
        }
    }
    for file in FOLDERS.iter().flat_map(|folder| rust_files(&root.join(folder))) {
        let path = file.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        for name in limits(&code(&fs::read_to_string(&file).unwrap())) {
            let is_known = documented.contains_key(&(name.clone(), path.clone()));
            if !is_known && !NO_LIMITS.contains(&name.as_str()) {
                complaints.push(format!("{DOCUMENT} does not list {name} of {path}"));
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
}

/// A limit in seconds. It is read from the document, which is compared with the code.
pub(crate) fn seconds(name: &str, file: &str) -> f64 {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let documented = documented(&fs::read_to_string(root.join(DOCUMENT)).unwrap());
    let values = documented.get(&(name.to_owned(), file.to_owned()));
    let Some([seconds]) = values.map(Vec::as_slice) else {
        panic!("{DOCUMENT} does not list {name} of {file}")
    };
    *seconds
}

/// The rows of the document's tables. Times are in seconds, sizes in bytes.
fn documented(text: &str) -> BTreeMap<Place, Vec<f64>> {
    let tables = text.split(HEAD).skip(1);
    let rows = tables.flat_map(|table| table.lines().skip(2).take_while(|line| line.starts_with("| `")));
    let row = |line: &str| {
        let cells: Vec<_> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let [_, name, file, value, ..] = cells.as_slice() else { panic!("a row has four cells: {line}") };
        ((name.to_string(), file.to_string()), value.split(',').map(|part| quantity(part.trim())).collect())
    };
    rows.map(row).collect()
}

/// `10 s`, `4 MiB` or `16`.
fn quantity(text: &str) -> f64 {
    let (number, unit) = text.split_once(' ').unwrap_or((text, ""));
    let unit = match unit {
        "" | "s" | "B" => 1.0,
        "ms" => 0.001,
        "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        "KiB" => 1024.0,
        "MiB" => 1_048_576.0,
        other => panic!("{other} is not a unit that the document explains"),
    };
    number.parse::<f64>().unwrap() * unit
}

/// A file without its tests and comments.
fn code(text: &str) -> String {
    let text = text.split_once("#[cfg(test)]\nmod tests {").map_or(text, |(code, _)| code);
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| line.split(" // ").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// What `name` is set to.
fn constant<'a>(source: &'a str, name: &str) -> Option<&'a str> {
    let declared = format!("const {name}: ");
    let declarations = source.split(&declared).skip(1);
    // A parameter of a generic type is declared in the same words, and has no value.
    declarations.filter_map(|rest| rest.split_once('=')).find_map(|(kind, rest)| {
        let value = rest.split_once(';').map_or(rest, |(value, _)| value);
        (!kind.contains(['>', '{', '('].as_slice()) || kind.starts_with('(')).then(|| value.trim())
    })
}

/// The constants of a file that have a number, a time, or several of these.
fn limits(source: &str) -> Vec<String> {
    let constants = source.lines().filter_map(|line| {
        let (before, rest) = line.split_once("const ")?;
        let (name, rest) = rest.split_once(": ")?;
        let kind = rest.split(" =").next()?;
        let is_constant = before.trim().is_empty() || before.trim().starts_with("pub");
        let is_listed_type = |kind: &str| TYPES.contains(&kind);
        let is_number = is_listed_type(kind)
            || kind
                .strip_prefix('[')
                .and_then(|kind| kind.split_once(';'))
                .is_some_and(|(kind, _)| is_listed_type(kind))
            || kind
                .strip_prefix('(')
                .and_then(|kind| kind.strip_suffix(')'))
                .is_some_and(|kinds| kinds.split(", ").all(is_listed_type));
        (is_constant && is_number && !name.contains(' ')).then(|| name.to_owned())
    });
    constants.collect()
}

/// The value of an expression as these constants have it: numbers, products, times, lists, and other constants.
fn evaluate(expression: &str, source: &str, documented: &BTreeMap<Place, Vec<f64>>) -> Option<Vec<f64>> {
    let expression = expression.trim().trim_end_matches(',');
    if let Some(list) = inside(expression, '[', ']').or_else(|| inside(expression, '(', ')')) {
        let parts = list.split(',').map(str::trim).filter(|part| !part.is_empty() && !part.contains('"'));
        let values: Option<Vec<_>> = parts.map(|part| evaluate(part, source, documented)).collect();
        return values.map(|values| values.concat());
    }
    for (function, seconds) in [("secs", 1.0), ("mins", 60.0), ("hours", 3600.0), ("millis", 0.001)] {
        if let Some((kind, argument)) = expression.split_once(&format!("::from_{function}("))
            && kind.ends_with("Duration")
        {
            let argument = evaluate(argument.strip_suffix(')')?, source, documented)?;
            return Some(vec![argument.first()? * seconds]);
        }
    }
    for (sign, join) in [(" + ", sum as fn(f64, f64) -> f64), (" * ", product), (" << ", shifted)] {
        if let Some((left, right)) = expression.split_once(sign) {
            let (left, right) = (evaluate(left, source, documented)?, evaluate(right, source, documented)?);
            return Some(vec![join(*left.first()?, *right.first()?)]);
        }
    }
    if expression.ends_with("Duration::ZERO") {
        return Some(vec![0.0]);
    }
    if let Ok(number) = expression.replace('_', "").parse() {
        return Some(vec![number]);
    }
    // Another constant: of this file, or of another that the document lists.
    let path = expression.trim_end_matches(".unsigned_abs()");
    let name = path.rsplit("::").next()?;
    if let Some(value) = constant(source, name).filter(|_| !path.contains("::")) {
        return evaluate(value, source, documented);
    }
    documented.iter().find(|((other, _), _)| other == name).map(|(_, value)| value.clone())
}

fn sum(left: f64, right: f64) -> f64 {
    left + right
}

fn product(left: f64, right: f64) -> f64 {
    left * right
}

fn shifted(left: f64, right: f64) -> f64 {
    left * right.exp2()
}

fn inside(text: &str, open: char, close: char) -> Option<&str> {
    text.strip_prefix(open)?.strip_suffix(close)
}

fn rust_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            files.push(path);
        }
    }
    files
}
