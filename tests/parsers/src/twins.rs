//! Finding a Pin on its board by its texts.

use domain::{
    AltText, Attempt, BoardId, Description, Draft, File, Media, PinterestPinId, Text, Title, WebAddress,
    matching::{self, Likeness, MediaKind},
};
use unicode_normalization::UnicodeNormalization as _;

use crate::{dice::Dice, harness::NOW, mutate, tally};

/// A twin is found however Pinterest spaces and composes its texts, from either side; another Pin is not.
pub fn twins(bytes: &[u8]) {
    let mut dice = Dice::new(bytes);
    let Some(draft) = draft(&mut dice, "Cafe\u{301} au lait") else { return tally::count("twins", false) };
    tally::count("twins", true);
    let mut board_pin = board_pin(&draft);
    assert!(is_same(&board_pin, &draft));

    for text in [&mut board_pin.title, &mut board_pin.description, &mut board_pin.alt_text] {
        *text = text.take().map(|text| respaced(&mut dice, &text));
    }
    assert!(is_same(&board_pin, &draft), "{board_pin:?} {draft:?}");

    // What Pinterest lists could have been asked for too: then the draft is what is listed.
    let Some(other) = self::draft(&mut dice, board_pin.title.as_deref().unwrap_or("A")) else { return };
    let same = is_same(&self::board_pin(&other), &draft);
    assert_eq!(same, is_same(&self::board_pin(&draft), &other), "{other:?} {draft:?}");
    let normalized = |text: Option<&str>| {
        text.unwrap_or_default()
            .replace("&amp;", "&")
            .nfd()
            .filter(|letter| !letter.is_whitespace())
            .collect::<String>()
    };
    let titles = [&other, &draft].map(|draft| normalized(draft.title.as_ref().map(Text::as_str)));
    assert!(!same || titles[0] == titles[1], "{other:?} {draft:?}");
    tally::count("twins again", same);
}

/// Whether a listed Pin is surely what an attempt has made.
fn is_same(board_pin: &matching::BoardPin, draft: &Draft) -> bool {
    let attempt = Attempt { fencing_token: String::new(), started_at: NOW };
    matching::compare(board_pin, draft, &attempt).likeness == Likeness::Same
}

/// The same text in other white space, and composed or not.
fn respaced(dice: &mut Dice<'_>, text: &str) -> String {
    let space = dice.pick(&[" ", "  ", "\n", "\t", "\u{a0}", "\u{2003}", "\u{3000}", "\r\n"]);
    let words = text.split_whitespace().collect::<Vec<_>>().join(space);
    let words = if dice.once_in(3) { format!("{space}{words}{space}") } else { words };
    match dice.below(3) {
        0 => words,
        1 => words.nfc().collect(),
        _ => words.nfd().collect(),
    }
}

fn draft(dice: &mut Dice<'_>, title: &str) -> Option<Draft> {
    let mut text = |valid: &str| Some(mutate::text(dice, valid));
    Some(Draft {
        board: BoardId::try_from("1".to_owned()).ok()?,
        section: None,
        title: Title::new("title", text(title)).ok()?,
        description: Description::new("description", text("A\u{30a} b\u{3099}")).ok()?,
        link: WebAddress::new("link", text("https://example.com/a?b=c")?).ok(),
        alt_text: AltText::new("alt_text", text("e\u{302}\u{301} 각 ﬁ")).ok()?,
        dominant_color: None,
        ai_disclosures: None,
        media: Media::Image {
            file: File::Public { url: WebAddress::new("url", "https://example.com/a.jpg".to_owned()).ok()? },
        },
    })
}

fn board_pin(draft: &Draft) -> matching::BoardPin {
    matching::BoardPin {
        id: PinterestPinId::try_from("9".to_owned()).unwrap(),
        created_at: Some(NOW),
        title: draft.title.as_ref().map(|text| text.as_str().to_owned()),
        description: draft.description.as_ref().map(|text| text.as_str().to_owned()),
        link: draft.link.as_ref().map(|text| text.as_str().to_owned()),
        alt_text: draft.alt_text.as_ref().map(|text| text.as_str().to_owned()),
        media: Some(MediaKind::Image),
        is_foreign: false,
    }
}
