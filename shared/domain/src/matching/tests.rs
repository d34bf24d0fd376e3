use jiff::ToSpan as _;
use serde_json::json;

use super::{Likeness::*, *};

/// What was sent.
fn draft() -> Draft {
    let text = "A bowl of green leaves, seeds and a little lemon: ready in ten minutes";
    serde_json::from_value(json!({
        "board_id": "1", "title": "Salad & seeds", "description": text, "alt_text": "A bowl",
        "link": "https://www.shop.example/salad?utm_source=pins",
        "media": {"kind": "image", "url": "https://example.com/a.jpg"},
    }))
    .unwrap()
}

fn attempt() -> Attempt {
    Attempt { fencing_token: "f".to_owned(), started_at: Timestamp::constant(1_790_000_000, 0) }
}

/// How a board lists the Pin whose `changes` are made.
fn board_pin(changes: impl FnOnce(&mut BoardPin)) -> BoardPin {
    let draft = draft();
    let mut board_pin = BoardPin {
        id: PinterestPinId::try_from("9".to_owned()).unwrap(),
        created_at: Some(attempt().started_at),
        title: draft.title.map(|text| text.as_str().to_owned()),
        description: draft.description.map(|text| text.as_str().to_owned()),
        link: draft.link.map(|link| link.as_str().to_owned()),
        alt_text: draft.alt_text.map(|text| text.as_str().to_owned()),
        media: Some(MediaKind::Image),
        is_foreign: false,
    };
    changes(&mut board_pin);
    board_pin
}

#[track_caller]
fn expect(likeness: Likeness, change: impl FnOnce(&mut BoardPin)) {
    let board_pin = board_pin(change);
    assert_eq!(compare(&board_pin, &draft(), &attempt()).likeness, likeness, "{board_pin:?}");
}

#[expect(clippy::unnecessary_wraps, reason = "as the fields of a listed Pin have it")]
fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn spacing_composition_and_escapes_make_no_difference() {
    expect(Same, |_| {});
    expect(Same, |pin| pin.title = text(" Salad  &amp; seeds\n"));
    expect(Same, |pin| pin.link = text("HTTPS://www.shop.example:443/salad?utm_source=pins"));
    expect(Same, |pin| pin.media = None);
    let cafe = Draft { title: crate::Title::new("title", text("Cafe\u{301}")).unwrap(), ..draft() };
    let pin = board_pin(|pin| pin.title = text("Café"));
    assert_eq!(compare(&pin, &cafe, &attempt()).likeness, Same);
}

#[test]
fn a_pin_that_pinterest_has_rewritten_differs_from_another_pin() {
    expect(Rewritten, |pin| pin.title = text("Salad & seeds | The green blog"));
    expect(Rewritten, |pin| pin.title = text("Ten minutes for lunch")); // taken from the linked page
    expect(Rewritten, |pin| pin.title = None);
    expect(Rewritten, |pin| pin.alt_text = None);
    expect(Rewritten, |pin| pin.description = text("A bowl of green leaves, seeds…"));
    expect(Rewritten, |pin| pin.description = text("A bowl of green leaves, seeds and a little"));
    expect(Rewritten, |pin| pin.link = text("https://shop.example/salad/"));
    expect(Rewritten, |pin| pin.link = None);

    expect(Similar, |pin| (pin.title, pin.link) = (text("Soup"), text("https://shop.example/soup")));
    expect(Similar, |pin| pin.alt_text = text("A plate"));
    expect(Similar, |pin| (pin.title, pin.link) = (text("Salad & seedlings"), None));
}

#[test]
fn a_pin_that_shares_nothing_is_not_ours() {
    let other = |pin: &mut BoardPin| {
        pin.title = text("Car");
        pin.description = text("Fast");
        pin.alt_text = None;
        pin.link = text("https://cars.example/");
    };
    expect(Stranger, other);
    expect(Stranger, |pin| {
        other(pin);
        pin.link = None;
    });
}

#[test]
fn a_pin_that_our_token_cannot_have_created_is_not_ours() {
    expect(Stranger, |pin| (pin.is_foreign, pin.alt_text) = (true, None));
    expect(Stranger, |pin| (pin.media, pin.alt_text) = (Some(MediaKind::Video), None));
    // Everything is the same but for that: nobody can tell.
    expect(Similar, |pin| pin.is_foreign = true);
    expect(Similar, |pin| pin.media = Some(MediaKind::Video));
}

#[test]
fn a_date_that_is_missing_or_wrong_hides_no_pin() {
    let started_at = attempt().started_at;
    let created = |at: Timestamp| move |pin: &mut BoardPin| pin.created_at = Some(at);
    for at in [started_at - CLOCK_SKEW, started_at, started_at + 5.minutes()] {
        expect(Same, created(at));
    }
    // An older Pin may have the same texts: nobody can tell.
    expect(Similar, |pin| pin.created_at = None);
    for age in [-10.minutes(), 10.minutes(), -12.hours(), -5.hours(), 3.hours(), 330.minutes()] {
        expect(Similar, created(started_at + age));
    }
    let rewritten =
        |at: Option<Timestamp>| move |pin: &mut BoardPin| (pin.title, pin.created_at) = (None, at);
    expect(Similar, rewritten(None));
    expect(Similar, rewritten(Some(started_at - 10.minutes())));
    expect(Similar, rewritten(Some(started_at + 330.minutes())));
}

#[test]
fn a_pin_of_another_time_is_not_ours() {
    let started_at = attempt().started_at;
    for age in [17.minutes(), 45.minutes(), 15.hours(), 240.hours()] {
        expect(Stranger, |pin| pin.created_at = Some(started_at - age));
        expect(Stranger, |pin| (pin.title, pin.created_at) = (None, Some(started_at + age)));
    }
}

#[test]
fn a_candidate_lists_what_differs() {
    let pin = board_pin(|pin| {
        (pin.title, pin.link, pin.created_at) = (None, None, None);
        pin.media = Some(MediaKind::Carousel);
    });
    let comparison = compare(&pin, &draft(), &attempt());
    let expected = [Difference::Title, Difference::Link, Difference::Media, Difference::CreatedAt];
    assert_eq!(comparison.candidate.differs, expected);
}
