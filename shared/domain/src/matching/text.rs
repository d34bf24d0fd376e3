//! Compares a text or a link with what was sent, allowing for Pinterest's changes.

use unicode_normalization::UnicodeNormalization;
use url::Url;

/// A text that was cut without a mark such as `…` has at least this many characters: a shorter one is another text.
const MIN_CUT: usize = 20;

/// How a listed text relates to the one that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextRelation {
    /// It is equal, or both are missing.
    Equal {
        /// Whether there is a text at all.
        is_empty: bool,
    },
    /// It is what was sent, with something cut off or added.
    Changed,
    /// A text was sent, but none is listed.
    Missing,
    /// For links only: the same host, but another page.
    Near,
    /// It is another text, or none was sent.
    Different,
}

impl TextRelation {
    pub(super) fn is_equal(self) -> bool {
        matches!(self, Self::Equal { .. })
    }

    /// Whether both have a text in common.
    pub(super) fn is_shared(self) -> bool {
        matches!(self, Self::Equal { is_empty: false } | Self::Changed)
    }

    /// Whether Pinterest may have changed the sent text into the listed one.
    pub(super) fn is_explained(self) -> bool {
        matches!(self, Self::Equal { .. } | Self::Changed | Self::Missing)
    }
}

pub(super) fn compare_texts(sent: Option<&str>, listed: Option<&str>) -> TextRelation {
    let (sent, listed) = (normalize(sent.unwrap_or_default()), normalize(listed.unwrap_or_default()));
    if sent == listed {
        return TextRelation::Equal { is_empty: sent.is_empty() };
    }
    if sent.is_empty() {
        return TextRelation::Different;
    }
    if listed.is_empty() {
        return TextRelation::Missing;
    }
    let (sent, listed) = (sent.to_lowercase(), listed.to_lowercase());
    if is_cut(&listed, &sent) || has_suffix(&listed, &sent) {
        TextRelation::Changed
    } else {
        TextRelation::Different
    }
}

/// An address may be written in several ways: `HTTPS://a.example` is `https://a.example/`.
pub(super) fn compare_links(sent: Option<&str>, listed: Option<&str>) -> TextRelation {
    let as_text = compare_texts(sent, listed);
    let parse = |address: Option<&str>| address.and_then(|address| Url::parse(&unescape(address)).ok());
    let (Some(sent), Some(listed)) = (parse(sent), parse(listed)) else { return as_text };
    if as_text.is_equal() || sent == listed {
        TextRelation::Equal { is_empty: false }
    } else if host(&sent) != host(&listed) {
        TextRelation::Different
    } else if sent.path().trim_end_matches('/') == listed.path().trim_end_matches('/') {
        TextRelation::Changed // its query, its fragment, its scheme or a slash
    } else {
        TextRelation::Near
    }
}

fn host(url: &Url) -> Option<&str> {
    url.host_str().map(|host| host.trim_start_matches("www."))
}

/// Pinterest normalises white space, composes characters, and escapes some of them, so texts are compared without these
/// differences.
fn normalize(text: &str) -> String {
    unescape(text).nfc().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The characters that HTML escapes.
fn unescape(text: &str) -> String {
    let escapes =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#x27;", "'"), ("&amp;", "&")];
    escapes.into_iter().fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

/// Whether `listed` is the beginning of `sent`.
fn is_cut(listed: &str, sent: &str) -> bool {
    let without_mark = listed.trim_end_matches('…').trim_end_matches("...").trim_end();
    let is_marked = without_mark.len() < listed.len();
    !without_mark.is_empty()
        && sent.starts_with(without_mark)
        && (is_marked || without_mark.chars().count() >= MIN_CUT)
}

/// Whether `listed` is `sent` and something after it, as in "Green salad | The blog".
fn has_suffix(listed: &str, sent: &str) -> bool {
    let rest = listed.strip_prefix(sent).map(str::trim_start);
    rest.and_then(|rest| rest.chars().next()).is_some_and(|first| !first.is_alphanumeric())
}
