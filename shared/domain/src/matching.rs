//! Finding on a board the Pin that an attempt may have made.

use jiff::{SignedDuration, Timestamp};
use unicode_normalization::UnicodeNormalization;
use url::Url;

use crate::{Draft, PinterestPinId};

/// How far Pinterest's clock may be behind ours.
pub const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(2);

/// A Pin as a board lists it.
#[derive(Clone, Debug)]
pub struct BoardPin {
    /// At Pinterest.
    pub id: PinterestPinId,
    /// By Pinterest's clock.
    pub created_at: Option<Timestamp>,
    /// Its title.
    pub title: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// Its link.
    pub link: Option<String>,
    /// Its text in place of the picture.
    pub alt_text: Option<String>,
}

/// Whether `listed` may be what was made of `draft` by an attempt that began at `started_at`.
///
/// Pinterest tidies white space, and may compose characters, so texts are compared without either.
#[must_use]
pub fn matches(listed: &BoardPin, draft: &Draft, started_at: Timestamp) -> bool {
    let young_enough = listed.created_at.is_some_and(|created| created >= started_at - CLOCK_SKEW);
    young_enough
        && same_text(listed.title.as_deref(), draft.title.as_ref().map(crate::Text::as_str))
        && same_text(listed.description.as_deref(), draft.description.as_ref().map(crate::Text::as_str))
        && same_address(listed.link.as_deref(), draft.link.as_ref().map(crate::WebAddress::as_str))
        && same_text(listed.alt_text.as_deref(), draft.alt_text.as_ref().map(crate::Text::as_str))
}

fn same_text(listed: Option<&str>, wanted: Option<&str>) -> bool {
    normalize(listed.unwrap_or_default()) == normalize(wanted.unwrap_or_default())
}

/// An address may be written in several ways: `HTTPS://a.example` is `https://a.example/`.
fn same_address(listed: Option<&str>, wanted: Option<&str>) -> bool {
    let parsed = |address: Option<&str>| address.and_then(|address| Url::parse(address).ok());
    same_text(listed, wanted) || parsed(listed).is_some_and(|listed| Some(listed) == parsed(wanted))
}

fn normalize(text: &str) -> String {
    text.nfc().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn draft(title: &str) -> Draft {
        let image = json!({"kind": "image", "url": "https://example.com/a.jpg"});
        serde_json::from_value(json!({"board_id": "1", "title": title, "media": image})).unwrap()
    }

    fn listed(title: &str, created_at: Timestamp) -> BoardPin {
        BoardPin {
            id: PinterestPinId::try_from("9".to_owned()).unwrap(),
            created_at: Some(created_at),
            title: Some(title.to_owned()),
            description: Some(String::new()),
            link: None,
            alt_text: None,
        }
    }

    #[test]
    fn white_space_and_composition_do_not_hide_a_twin() {
        let started = Timestamp::from_second(1_790_000_000).unwrap();
        assert!(matches(&listed(" Cafe\u{301}  au lait ", started), &draft("Café au lait"), started));
        assert!(!matches(&listed("Cafe au lait", started), &draft("Café au lait"), started));
    }

    #[test]
    fn the_spelling_of_an_address_does_not_hide_a_twin() {
        let started = Timestamp::from_second(1_790_000_000).unwrap();
        let link = |link: &str| Some(crate::WebAddress::new("link", link.to_owned()).unwrap());
        let pairs = [
            ("HTTPS://Shop.Example", "https://shop.example/", true),
            ("https://shop.example:443/ä", "https://shop.example/%C3%A4", true),
            ("https://shop.example/a", "https://shop.example/b", false),
            ("https://shop.example/?a=1", "https://shop.example/", false),
        ];
        for (wanted, shown, same_text) in pairs {
            let draft = Draft { link: link(wanted), ..draft("A") };
            let listed = BoardPin { link: Some(shown.to_owned()), ..listed("A", started) };
            assert_eq!(matches(&listed, &draft, started), same_text, "{wanted} {shown}");
        }
    }

    #[test]
    fn what_is_older_than_the_attempt_is_no_twin() {
        let started = Timestamp::from_second(1_790_000_000).unwrap();
        let second = SignedDuration::from_secs(1);
        assert!(matches(&listed("A", started - CLOCK_SKEW), &draft("A"), started));
        assert!(!matches(&listed("A", started - CLOCK_SKEW - second), &draft("A"), started));
    }
}
