//! What a caller sends to publish a Pin, and the rules it passes through.

use domain::{
    AltText, BoardId, ChannelId, Color, DefaultBoard, Description, Draft, Invalid, Media, MediaId, SectionId,
    Title, WebAddress,
};
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    media::{Enclosed, NewMedia},
    when::{When, YEAR},
};

const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A Pin to be published.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CreatePinRequest")]
pub struct NewPin {
    /// The connected account that publishes it.
    #[schemars(with = "ChannelId")]
    channel_id: String,
    /// The board it goes to. The channel's default board unless given.
    #[serde(default)]
    #[schemars(with = "Option<BoardId>")]
    board_id: Option<String>,
    /// A section of that board.
    #[serde(default)]
    #[schemars(with = "Option<SectionId>")]
    board_section_id: Option<String>,
    /// At most 100 characters.
    #[serde(default)]
    #[schemars(with = "Option<Title>")]
    title: Option<String>,
    /// At most 800 characters.
    #[serde(default)]
    #[schemars(with = "Option<Description>")]
    description: Option<String>,
    /// Where a click leads: an `http` or `https` address of at most 2,048 characters.
    #[serde(default)]
    #[schemars(with = "Option<WebAddress>")]
    link: Option<String>,
    /// What the picture shows, for those who cannot see it: at most 500 characters.
    #[serde(default)]
    #[schemars(with = "Option<AltText>")]
    alt_text: Option<String>,
    /// Shown while the picture loads: `#RRGGBB`.
    #[serde(default)]
    #[schemars(with = "Option<Color>")]
    dominant_color: Option<String>,
    /// The picture, or the pictures.
    #[serde(deserialize_with = "crate::http::object")]
    media: NewMedia,
    /// When, up to 366 days ahead. Now unless given.
    #[serde(default)]
    publish_at: Option<When>,
    /// For how long after `publish_at` it may still be published (ISO 8601), between one minute and 366 days. `P7D` unless
    /// given.
    #[serde(default)]
    #[schemars(extend("format" = "duration"))]
    publish_within: Option<String>,
}

/// A request that has passed every rule that needs no look at anything else.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) channel_id: ChannelId,
    pub(super) publish_at: Timestamp,
    pub(super) give_up_at: Timestamp,
    board: Option<BoardId>,
    section: Option<SectionId>,
    title: Option<Title>,
    description: Option<Description>,
    link: Option<WebAddress>,
    alt_text: Option<AltText>,
    dominant_color: Option<Color>,
    media: Media,
    pub(super) enclosed: Option<Enclosed>,
}

impl NewPin {
    /// The channel, if it is an id at all.
    pub(super) fn channel(&self) -> Result<ChannelId, Invalid> {
        ChannelId::try_from(self.channel_id.clone())
    }

    /// Checks each field, in the order of the documentation: the first rule that is broken is told.
    pub(super) fn check(self, now: Timestamp, fresh: MediaId) -> Result<Checked, Invalid> {
        self.examine(now, fresh).map_err(|mut broken| broken.swap_remove(0))
    }

    /// Checks each field, in the order of the documentation: every rule that is broken is told. An image that is
    /// enclosed becomes file `fresh`.
    pub(super) fn examine(self, now: Timestamp, fresh: MediaId) -> Result<Checked, Vec<Invalid>> {
        let mut broken = Broken::default();
        let channel_id = broken.keep(self.channel());
        let board = broken.keep(given(self.board_id).map(BoardId::try_from).transpose());
        let section = broken.keep(given(self.board_section_id).map(SectionId::try_from).transpose());
        let title = broken.keep(Title::new("title", self.title));
        let description = broken.keep(Description::new("description", self.description));
        let link = broken.keep(given(self.link).map(|link| WebAddress::new("link", link)).transpose());
        let alt_text = broken.keep(AltText::new("alt_text", self.alt_text));
        let dominant_color = broken.keep(given(self.dominant_color).map(Color::new).transpose());
        let media = broken.keep(self.media.check(fresh));
        let publish_at = broken.keep(self.publish_at.map_or(Ok(now), |when| when.instant(now)));
        let within = broken.keep(publish_within(self.publish_within.as_deref()));
        let whole = (|| {
            let publish_at = publish_at?;
            let (media, enclosed) = media?;
            Some(Checked {
                channel_id: channel_id?,
                board: board?,
                section: section?,
                title: title?,
                description: description?,
                link: link?,
                alt_text: alt_text?,
                dominant_color: dominant_color?,
                media,
                enclosed,
                publish_at,
                give_up_at: publish_at + within?,
            })
        })();
        whole.ok_or(broken.0)
    }
}

/// The rules that were found broken.
#[derive(Default)]
struct Broken(Vec<Invalid>);

impl Broken {
    fn keep<T>(&mut self, checked: Result<T, Invalid>) -> Option<T> {
        checked.map_err(|invalid| self.0.push(invalid)).ok()
    }
}

impl Checked {
    /// What it shows.
    pub(super) fn media(&self) -> &Media {
        &self.media
    }

    /// Sends it to a board that was found by its name.
    pub(super) fn go_to(&mut self, board: BoardId, section: Option<SectionId>) {
        (self.board, self.section) = (Some(board), section);
    }

    /// The Pin, on its board or on the channel's default board.
    pub(super) fn draft(self, default: Option<&DefaultBoard>) -> Result<Draft, Invalid> {
        let default = default.map(|board| board.pinterest_board_id.clone());
        let board = self.board.or(default).ok_or_else(|| {
            let detail = "is missing, and the channel has no default board";
            Invalid::new(
                "board_id",
                "no_board",
                detail,
                "Name a board, or choose the channel's default board.",
            )
        })?;
        Ok(Draft {
            board,
            section: self.section,
            title: self.title,
            description: self.description,
            link: self.link,
            alt_text: self.alt_text,
            dominant_color: self.dominant_color,
            media: self.media,
        })
    }
}

/// Empty is as good as absent.
pub(super) fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

pub(super) fn publish_within(wanted: Option<&str>) -> Result<SignedDuration, Invalid> {
    let Some(wanted) = wanted else { return Ok(WEEK) };
    let refuse = || {
        let detail = "is not a duration between one minute and a year";
        let fix = "Write it as ISO 8601 does, in weeks, days, hours and minutes: `P7D` or `PT12H`.";
        Invalid::new("publish_within", "invalid_duration", detail, fix)
    };
    let span: Span = wanted.parse().map_err(|_| refuse())?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| refuse())?;
    let allowed = SignedDuration::from_mins(1)..=YEAR;
    if allowed.contains(&duration) { Ok(duration) } else { Err(refuse()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_read_as_iso_8601_and_kept_within_a_year() {
        assert_eq!(publish_within(Some("P7D")).unwrap(), WEEK);
        assert_eq!(publish_within(Some("PT90M")).unwrap(), SignedDuration::from_mins(90));
        assert_eq!(publish_within(None).unwrap(), WEEK);
        for bad in ["", "7", "P1M", "-P1D", "PT0S", "P400D", "P1DT", "one week"] {
            assert!(publish_within(Some(bad)).is_err(), "{bad}");
        }
    }
}
