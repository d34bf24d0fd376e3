//! The content of a Pin. Each field has a type whose constructor checks Pinterest's rules for it.

use std::{borrow::Cow, collections::BTreeSet};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{AiDisclosures, BoardId, Invalid, Media, SectionId};

/// A Pin that keeps every rule Pinterest has for it (`PinCreate` in the v5 contract).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Draft {
    /// The board of the Pin.
    #[serde(rename = "board_id")]
    pub board: BoardId,
    /// A section of that board.
    #[serde(rename = "board_section_id", default, skip_serializing_if = "Option::is_none")]
    pub section: Option<SectionId>,
    /// At most 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Title>,
    /// At most 800 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// The destination of a click on the Pin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<WebAddress>,
    /// Alternative text for people who cannot see the picture: at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt_text: Option<AltText>,
    /// Shown while the picture loads: `#RRGGBB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dominant_color: Option<Color>,
    /// Disclosures about artificial intelligence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ai_disclosures: Option<AiDisclosures>,
    /// The image, the images or the video.
    pub media: Media,
}

impl Draft {
    /// The largest size of a Pin as JSON. A Pin with five pictures and texts of the maximum length, in Latin letters, is
    /// smaller.
    pub const MAX_BYTES: usize = 32 * 1024;

    /// Its size as JSON.
    #[must_use]
    pub fn bytes(&self) -> usize {
        serde_json::to_vec(self).map_or(usize::MAX, |json| json.len())
    }

    /// The hosts that its links lead to, each once.
    #[must_use]
    pub fn link_hosts(&self) -> Vec<String> {
        let slides = match &self.media {
            Media::Carousel { items } => items.iter().filter_map(|slide| slide.link.as_ref()).collect(),
            Media::Image { .. } | Media::Video { .. } => Vec::new(),
        };
        let mut hosts = BTreeSet::new();
        hosts.extend(self.link.iter().chain(slides).filter_map(WebAddress::host));
        hosts.into_iter().collect()
    }

    /// Checks the size of all fields together: workers hold many Pins in memory, and a row has a size limit.
    pub fn check_size(self) -> Result<Self, Invalid> {
        let bytes = self.bytes();
        if bytes <= Self::MAX_BYTES {
            return Ok(self);
        }
        let detail =
            format!("has {bytes} bytes with all its texts, and at most {} are allowed", Self::MAX_BYTES);
        Err(Invalid::new("body", "pin_too_large", detail, "Shorten texts and addresses."))
    }
}

/// The title of a Pin.
pub type Title = Text<100>;
/// The text below the title.
pub type Description = Text<800>;
/// The text in place of the picture.
pub type AltText = Text<500>;

/// Text of 1 to `MAX` characters.
///
/// Pinterest does not say what it counts; its own sample code cuts by code points, so a character here is
/// a Unicode scalar value: `é` written as a letter and an accent counts two, a family emoji several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> JsonSchema for Text<MAX> {
    fn inline_schema() -> bool {
        true // what a text is for, the field says that holds it
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Text{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": MAX })
    }
}

impl<const MAX: usize> Text<MAX> {
    /// Checks `text` from `field`. An empty text counts as absent, because Pinterest prefers a missing field.
    pub fn new(field: &str, text: Option<String>) -> Result<Option<Self>, Invalid> {
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let length = text.chars().count();
        if length > MAX {
            return Err(Invalid::new(
                field,
                "too_long",
                format!("has {length} characters, and Pinterest takes at most {MAX}"),
                format!("Shorten it: {} too many.", length - MAX),
            ));
        }
        if text.chars().any(|letter| letter.is_control() && !matches!(letter, '\n' | '\r' | '\t')) {
            return Err(Invalid::new(
                field,
                "control_character",
                "holds a control character",
                "Remove it: only line breaks and tabs are text.",
            ));
        }
        Ok(Some(Self(text)))
    }

    /// The text as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An absolute `http` or `https` address of at most 2,048 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(with = "String", inline, extend("format" = "uri", "maxLength" = Self::MAX))]
pub struct WebAddress(String);

impl WebAddress {
    /// The longest link that Pinterest accepts.
    pub const MAX: usize = 2048;

    /// Checks `text`, which stood at `field`.
    pub fn new(field: &str, text: String) -> Result<Self, Invalid> {
        let length = text.chars().count();
        if length > Self::MAX {
            return Err(Invalid::new(
                field,
                "too_long",
                format!("has {length} characters, and Pinterest takes at most {}", Self::MAX),
                "Use a shorter address.",
            ));
        }
        let invalid = |detail: &str| {
            let fix = "Give an absolute address that begins with https:// and that anyone can open.";
            Invalid::new(field, "invalid_url", detail, fix)
        };
        if text.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
            return Err(invalid("holds white space or a control character"));
        }
        // The parser repairs its input, as browsers do; we store and send the original text.
        let begins = |start: &str| {
            text.get(..start.len()).is_some_and(|front| front.eq_ignore_ascii_case(start))
                && !text[start.len()..].starts_with('/')
        };
        if text.contains('\\') || !(begins("https://") || begins("http://")) {
            return Err(invalid("does not begin with https:// and a host"));
        }
        let url =
            Url::parse(&text).map_err(|_| invalid("is not an address: its host or its port cannot be"))?;
        // In the encoded address, each letter outside ASCII takes several characters.
        if url.as_str().len() > Self::MAX {
            let detail = format!(
                "has {} characters as it is sent, and Pinterest takes at most {}",
                url.as_str().len(),
                Self::MAX
            );
            return Err(Invalid::new(field, "too_long", detail, "Use a shorter address."));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("holds a user name or a password"));
        }
        Ok(Self(text))
    }

    /// The address as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host that it leads to.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        Some(Url::parse(&self.0).ok()?.host_str()?.to_owned())
    }
}

/// A colour as `#RRGGBB`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(with = "String", inline, extend("pattern" = "^#[0-9A-Fa-f]{6}$"))]
pub struct Color(String);

impl Color {
    /// Checks `text`.
    pub fn new(text: String) -> Result<Self, Invalid> {
        match text.strip_prefix('#') {
            Some(rest) if rest.len() == 6 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                Ok(Self(text))
            }
            _ => Err(Invalid::new(
                "dominant_color",
                "invalid_color",
                "is not a colour",
                "Write it as `#RRGGBB`, for instance `#6E7874`.",
            )),
        }
    }

    /// The colour as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_counted_in_unicode_scalar_values() {
        assert!(Title::new("title", Some("é".repeat(100))).unwrap().is_some());
        assert!(Title::new("title", Some("👩".repeat(100))).unwrap().is_some());
        let family = "👩\u{200d}👧"; // three scalar values
        assert!(Title::new("title", Some(family.repeat(34))).is_err());
    }

    #[test]
    fn one_character_too_many_is_refused_and_says_by_how_much() {
        let error = Title::new("title", Some("x".repeat(101))).unwrap_err();
        assert_eq!((error.code, error.fix.as_str()), ("too_long", "Shorten it: 1 too many."));
    }

    #[test]
    fn empty_text_is_no_text() {
        assert_eq!(Title::new("title", Some(String::new())).unwrap(), None);
    }

    #[test]
    fn only_web_addresses_are_links() {
        for good in ["https://example.com/a?b=c#d", "http://example.com", "https://münchen.example/ü"] {
            assert!(WebAddress::new("link", good.into()).is_ok(), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "data:text/html,x",
            "/relative",
            "example.com",
            "https://",
            "https://user:pass@example.com/",
            "https://exa mple.com/",
            "https://example.com/\n",
            "ftp://example.com/",
            "https:example.com",
            "https:/example.com/",
            "https:///example.com/",
            "https:\\\\example.com\\",
            "https://example.com\\@evil.example.com/",
            "",
        ] {
            assert!(WebAddress::new("link", bad.into()).is_err(), "{bad}");
        }
        let of_length = |letters: String| WebAddress::new("link", format!("https://example.com/{letters}"));
        assert!(of_length("a".repeat(2028)).is_ok());
        assert!(of_length("a".repeat(2029)).is_err());
        assert!(of_length("ü".repeat(338)).is_ok(), "six characters each");
        assert!(of_length("ü".repeat(339)).is_err());
    }

    #[test]
    fn the_hosts_of_a_pin_are_those_that_its_links_lead_to() {
        let slide = |link: &str| serde_json::json!({"url": "https://images.example/a.jpg", "link": link});
        let draft: Draft = serde_json::from_value(serde_json::json!({
            "board_id": "1",
            "link": "HTTPS://Shop.Example:8443/a",
            "media": {"kind": "carousel", "items": [slide("https://shop.example/b"), slide("http://other.example")]},
        }))
        .unwrap();
        assert_eq!(draft.link_hosts(), ["other.example", "shop.example"]);
    }

    #[test]
    fn a_colour_has_six_hexadecimal_digits() {
        assert!(Color::new("#6E7874".into()).is_ok());
        assert!(Color::new("6E7874".into()).is_err());
        assert!(Color::new("#6E787".into()).is_err());
        assert!(Color::new("#6E78zz".into()).is_err());
    }
}
