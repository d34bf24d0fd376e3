//! The pages of `files/`, as they are sent to browsers. Plain HTML, CSS and ES modules: they run without a build step.

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// A file of the pages.
#[derive(Clone, Copy, Debug)]
pub struct File {
    name: &'static str,
    /// As it is.
    pub plain: &'static [u8],
    /// Compressed (RFC 1952).
    pub gzip: &'static [u8],
}

impl File {
    /// Finds a file by its path, which contains the version. With another version there is no file, because browsers and
    /// caches keep a file for ever. The frame of the pages is not a file either: it has placeholders, see [`frame`].
    #[must_use]
    pub fn at(path: &str) -> Option<Self> {
        let name = path.strip_prefix("/assets/")?.strip_prefix(VERSION)?.strip_prefix('/')?;
        FILES.iter().find(|file| file.name == name && name != FRAME).copied()
    }

    /// Its content type.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        match self.name.rsplit('.').next() {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            _ => "application/octet-stream",
        }
    }
}

/// The frame in which every page is shown.
const FRAME: &str = "index.html";

/// The frame, with `settings` (JSON) for the scripts. The addresses of its files contain the version: a browser may keep
/// them for ever, and loads all of them again when one has changed.
#[must_use]
pub fn frame(settings: &str) -> String {
    let frame = FILES.iter().find(|file| file.name == FRAME).map_or(&[][..], |file| file.plain);
    let settings = settings.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    String::from_utf8_lossy(frame)
        .replace("{assets}", &format!("/assets/{VERSION}"))
        .replace("{settings}", &settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page must load at once, on a phone too: the files are limited to 120 KB.
    #[test]
    fn all_pages_together_are_small() {
        let bytes: usize = FILES.iter().map(|file| file.gzip.len()).sum();
        assert!(bytes < 120_000, "{bytes}");
    }

    #[test]
    fn settings_do_not_end_the_attribute_that_they_stand_in() {
        let frame = frame(r#"{"issuer":"https://a.example.com/?a&b\"><script>"}"#);
        assert!(frame.contains(
            r#"content="{&quot;issuer&quot;:&quot;https://a.example.com/?a&amp;b\&quot;>&lt;script>&quot;}""#
        ));
    }

    #[test]
    fn the_frame_names_only_existing_files() {
        let frame = frame("{}");
        let names: Vec<_> = frame.split(&format!("/assets/{VERSION}/")).skip(1).collect();
        assert!(names.len() > 5);
        for rest in names {
            let name = rest.split('"').next().unwrap_or_default();
            assert!(File::at(&format!("/assets/{VERSION}/{name}")).is_some(), "{name}");
        }
    }

    #[test]
    fn a_file_is_found_by_its_version_and_its_name_and_nothing_else() {
        let at = |version, name| File::at(&format!("/assets/{version}/{name}"));
        let content_type = at(VERSION, "app.js").map(|file| file.content_type());
        assert_eq!(content_type, Some("text/javascript; charset=utf-8"));
        for name in ["index.html", "../Cargo.toml", "", "app.js.gz", "nothing"] {
            assert!(at(VERSION, name).is_none(), "{name}");
        }
        for version in ["next", "", "00000000", &VERSION[1..], &format!("{VERSION}0")] {
            assert!(at(version, "app.js").is_none(), "{version}");
        }
    }
}
