//! The files that are compared.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde_json::Value;

use crate::template;

pub(crate) const TEMPLATE: &str = "template.yaml";
/// Where settings are documented.
pub(crate) const SETTINGS: &str = "docs/settings.md";

/// The code of the functions that reads settings or writes a log.
pub(crate) const CODE: [&str; 7] = [
    "shared/adapters/src/",
    "shared/app/src/",
    "shared/delivery/src/",
    "shared/edge/src/",
    "shared/fetch/src/",
    "shared/platform/src/",
    "shared/store/src/",
];

/// The template, the code and the documentation of the settings, as they are or with a change.
#[derive(Clone)]
pub(crate) struct Project {
    files: BTreeMap<String, String>,
    pub(crate) template: Value,
}

/// A function of the template.
pub(crate) struct Function<'a> {
    /// Its name in the template.
    pub(crate) id: &'a str,
    /// The package that it is built of.
    pub(crate) package: &'a str,
    pub(crate) resource: &'a Value,
}

impl Project {
    /// As it is.
    pub(crate) fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut files = BTreeMap::new();
        for start in [TEMPLATE, SETTINGS, "functions"] {
            collect(root, &root.join(start), &mut files);
        }
        for part in CODE {
            collect(root, &root.join(part), &mut files);
        }
        Self::of(files)
    }

    fn of(files: BTreeMap<String, String>) -> Self {
        let template = template::parse(&files[TEMPLATE]);
        Self { files, template }
    }

    /// The same, where in `file` the first `from` after `after` is `to`.
    pub(crate) fn with(&self, file: &str, after: &str, from: &str, to: &str) -> Self {
        let mut files = self.files.clone();
        let text = files.remove(file).unwrap_or_default();
        let start = text.find(after).unwrap_or_else(|| panic!("{file} does not hold {after:?}"));
        let (before, rest) = text.split_at(start + after.len());
        assert!(rest.contains(from), "{file} does not hold {from:?} after {after:?}");
        files.insert(file.to_owned(), format!("{before}{}", rest.replacen(from, to, 1)));
        Self::of(files)
    }

    pub(crate) fn text(&self, file: &str) -> &str {
        self.files.get(file).map(String::as_str).unwrap_or_default()
    }

    /// The packages of `functions/`.
    pub(crate) fn packages(&self) -> BTreeSet<&str> {
        let manifests = self.files.keys().filter_map(|file| file.strip_prefix("functions/"));
        manifests.filter_map(|file| file.strip_suffix("/Cargo.toml")).collect()
    }

    /// What a package's `main.rs` says, without comments.
    pub(crate) fn main_rs(&self, package: &str) -> String {
        uncommented(self.text(&format!("functions/{package}/src/main.rs")))
    }

    /// The code below `folder`, without comments and tests, by file.
    pub(crate) fn code(&self, folder: &str) -> BTreeMap<&str, String> {
        let below = self.files.iter().filter(|(file, _)| file.starts_with(folder) && is_rust(file));
        below.map(|(file, text)| (file.as_str(), uncommented(without_tests(text)))).collect()
    }

    /// The resources of a type.
    pub(crate) fn resources(&self, kind: &str) -> Vec<(&str, &Value)> {
        let all = self.template["Resources"].as_object().unwrap();
        all.iter()
            .filter(|(_, resource)| resource["Type"] == kind)
            .map(|(id, resource)| (id.as_str(), resource))
            .collect()
    }

    /// The resource of this name; null if there is none.
    pub(crate) fn resource(&self, id: &str) -> &Value {
        &self.template["Resources"][id]
    }

    pub(crate) fn functions(&self) -> Vec<Function<'_>> {
        let functions = self.resources("AWS::Serverless::Function").into_iter();
        functions
            .map(|(id, resource)| {
                let code = resource["Properties"]["CodeUri"].as_str().unwrap_or_default();
                Function { id, package: code.strip_prefix("functions/").unwrap_or_default(), resource }
            })
            .collect()
    }
}

impl Function<'_> {
    /// What the template says of it, unless it is said of all functions.
    pub(crate) fn property(&self, name: &str) -> &Value {
        &self.resource["Properties"][name]
    }
}

fn is_rust(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|extension| extension == "rs")
}

fn without_tests(text: &str) -> &str {
    text.split_once("#[cfg(test)]").map_or(text, |(code, _)| code)
}

fn uncommented(text: &str) -> String {
    let lines: Vec<_> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    lines.join("\n")
}

fn collect(root: &Path, path: &Path, files: &mut BTreeMap<String, String>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            collect(root, &entry.unwrap().path(), files);
        }
        return;
    }
    let name = path.strip_prefix(root).unwrap().components();
    let name: Vec<_> = name.map(|part| part.as_os_str().to_str().unwrap()).collect();
    files.insert(name.join("/"), std::fs::read_to_string(path).unwrap());
}
