//! The request to publish a Pin.

use domain::{
    AiDisclosure, AiDisclosures, AltText, BoardId, ChannelId, Color, DefaultBoard, Description, Draft,
    Invalid, Media, MediaId, SectionId, Title, WebAddress,
};
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    ai_disclosures::{NewAiDisclosures, object_or_null},
    media::{InlineImage, NewMedia},
    optional::non_empty,
    publish_at::{MAX_AHEAD, PublishAt},
};

const DEFAULT_PUBLISH_WITHIN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A Pin to be published.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CreatePinRequest")]
pub struct NewPin {
    /// The connected account that publishes it.
    #[schemars(with = "ChannelId")]
    channel_id: String,
    /// The board of the Pin. Default: the channel's default board.
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
    /// The destination of a click: an `http` or `https` address of at most 2,048 characters.
    #[serde(default)]
    #[schemars(with = "Option<WebAddress>")]
    link: Option<String>,
    /// Alternative text for people who cannot see the picture: at most 500 characters.
    #[serde(default)]
    #[schemars(with = "Option<AltText>")]
    alt_text: Option<String>,
    /// Shown while the picture loads: `#RRGGBB`.
    #[serde(default)]
    #[schemars(with = "Option<Color>")]
    dominant_color: Option<String>,
    /// Disclosures about artificial intelligence, which Pinterest shows with the Pin.
    #[serde(default, deserialize_with = "object_or_null")]
    ai_disclosures: Option<NewAiDisclosures>,
    /// The picture, or the pictures.
    #[serde(deserialize_with = "edge::object")]
    media: NewMedia,
    /// When to publish, up to 366 days ahead. Default: now.
    #[serde(default)]
    publish_at: Option<PublishAt>,
    /// For how long after `publish_at` it may still be published (ISO 8601), between one minute and 366 days. `P7D` unless set
    /// otherwise.
    #[serde(default)]
    #[schemars(extend("format" = "duration"))]
    publish_within: Option<String>,
}

/// A request that has passed every check that needs no other data.
#[derive(Debug)]
pub(in crate::handlers) struct ValidPin {
    pub(in crate::handlers) channel_id: ChannelId,
    pub(in crate::handlers) publish_at: Timestamp,
    pub(in crate::handlers) give_up_at: Timestamp,
    board: Option<BoardId>,
    section: Option<SectionId>,
    title: Option<Title>,
    description: Option<Description>,
    link: Option<WebAddress>,
    alt_text: Option<AltText>,
    dominant_color: Option<Color>,
    ai_disclosures: Option<AiDisclosures>,
    media: Media,
    pub(in crate::handlers) inline_image: Option<InlineImage>,
}

impl NewPin {
    /// The channel, if it is a valid id.
    pub(in crate::handlers) fn channel(&self) -> Result<ChannelId, Invalid> {
        ChannelId::try_from(self.channel_id.clone())
    }

    /// Whether it shows a video.
    pub(in crate::handlers) fn is_video(&self) -> bool {
        self.media.is_video()
    }

    /// Checks each field, in the order of the documentation, and returns the first error.
    pub(in crate::handlers) fn validate(
        self,
        now: Timestamp,
        new_media_id: MediaId,
    ) -> Result<ValidPin, Invalid> {
        self.validate_all(now, new_media_id).map_err(|mut violations| violations.swap_remove(0))
    }

    /// Checks each field, in the order of the documentation, and returns all errors. An image within the request becomes
    /// the file `new_media_id`.
    pub(in crate::handlers) fn validate_all(
        self,
        now: Timestamp,
        new_media_id: MediaId,
    ) -> Result<ValidPin, Vec<Invalid>> {
        let mut violations = Violations::default();
        let channel_id = violations.keep(self.channel());
        let board = violations.keep(non_empty(self.board_id).map(BoardId::try_from).transpose());
        let section = violations.keep(non_empty(self.board_section_id).map(SectionId::try_from).transpose());
        let title = violations.keep(Title::new("title", self.title));
        let description = violations.keep(Description::new("description", self.description));
        let link =
            violations.keep(non_empty(self.link).map(|link| WebAddress::new("link", link)).transpose());
        let alt_text = violations.keep(AltText::new("alt_text", self.alt_text));
        let dominant_color = violations.keep(non_empty(self.dominant_color).map(Color::new).transpose());
        let ai_disclosures = violations.keep(self.ai_disclosures.map_or(Ok(None), NewAiDisclosures::check));
        let media = violations.keep(self.media.check(new_media_id));
        let publish_at = violations.keep(self.publish_at.map_or(Ok(now), |when| when.instant(now)));
        let within = violations.keep(publish_within(self.publish_within.as_deref()));
        let whole = (|| {
            let publish_at = publish_at?;
            let (media, inline_image) = media?;
            Some(ValidPin {
                channel_id: channel_id?,
                board: board?,
                section: section?,
                title: title?,
                description: description?,
                link: link?,
                alt_text: alt_text?,
                dominant_color: dominant_color?,
                ai_disclosures: ai_disclosures?,
                media,
                inline_image,
                publish_at,
                give_up_at: publish_at + within?,
            })
        })();
        whole.ok_or(violations.0)
    }
}

/// The errors found so far.
#[derive(Default)]
struct Violations(Vec<Invalid>);

impl Violations {
    fn keep<T>(&mut self, checked: Result<T, Invalid>) -> Option<T> {
        checked.map_err(|invalid| self.0.push(invalid)).ok()
    }
}

impl ValidPin {
    /// What it shows.
    pub(in crate::handlers) fn media(&self) -> &Media {
        &self.media
    }

    /// Whether it discloses that a model made its media.
    pub(in crate::handlers) fn discloses_ai(&self) -> bool {
        self.ai_disclosures.as_ref().is_some_and(|all| all.has(AiDisclosure::AiModified))
    }

    /// Sets the board, which was found by its name.
    pub(in crate::handlers) fn set_board(&mut self, board: BoardId, section: Option<SectionId>) {
        (self.board, self.section) = (Some(board), section);
    }

    /// The Pin, on its board or on the channel's default board.
    pub(in crate::handlers) fn draft(self, default: Option<&DefaultBoard>) -> Result<Draft, Invalid> {
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
        Draft {
            board,
            section: self.section,
            title: self.title,
            description: self.description,
            link: self.link,
            alt_text: self.alt_text,
            dominant_color: self.dominant_color,
            ai_disclosures: self.ai_disclosures,
            media: self.media,
        }
        .check_size()
    }
}

pub(super) fn publish_within(wanted: Option<&str>) -> Result<SignedDuration, Invalid> {
    let Some(wanted) = wanted else { return Ok(DEFAULT_PUBLISH_WITHIN) };
    let refuse = || {
        let detail = "is not a duration between one minute and a year";
        let fix = "Write it as ISO 8601 does, in weeks, days, hours and minutes: `P7D` or `PT12H`.";
        Invalid::new("publish_within", "invalid_duration", detail, fix)
    };
    let span: Span = wanted.parse().map_err(|_| refuse())?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| refuse())?;
    let allowed = SignedDuration::from_mins(1)..=MAX_AHEAD;
    if allowed.contains(&duration) { Ok(duration) } else { Err(refuse()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_read_as_iso_8601_and_kept_within_a_year() {
        assert_eq!(publish_within(Some("P7D")).unwrap(), DEFAULT_PUBLISH_WITHIN);
        assert_eq!(publish_within(Some("PT90M")).unwrap(), SignedDuration::from_mins(90));
        assert_eq!(publish_within(None).unwrap(), DEFAULT_PUBLISH_WITHIN);
        for duration in ["", "7", "P1M", "-P1D", "PT0S", "P400D", "P1DT", "one week"] {
            assert!(publish_within(Some(duration)).is_err(), "{duration}");
        }
    }
}
