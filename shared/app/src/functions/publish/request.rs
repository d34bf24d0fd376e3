//! What a caller sends to publish a Pin, and the rules it passes through.

use domain::{
    AltText, BoardId, ChannelId, Color, DefaultBoard, Description, Draft, Invalid, Media, SectionId, Title,
    WebAddress,
};
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;

/// How far in the past `publish_at` may lie and still mean now.
const STILL_NOW: SignedDuration = SignedDuration::from_mins(5);
/// How far ahead a Pin can be scheduled, and how late it may become.
const YEAR: SignedDuration = SignedDuration::from_hours(366 * 24);
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A Pin to be published.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
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
    title: Option<String>,
    /// At most 800 characters.
    #[serde(default)]
    description: Option<String>,
    /// Where a click leads: an `http` or `https` address of at most 2,048 characters.
    #[serde(default)]
    link: Option<String>,
    /// What the picture shows, for those who cannot see it: at most 500 characters.
    #[serde(default)]
    alt_text: Option<String>,
    /// Shown while the picture loads: `#RRGGBB`.
    #[serde(default)]
    #[schemars(with = "Option<Color>")]
    dominant_color: Option<String>,
    /// The picture.
    #[serde(deserialize_with = "crate::http::object")]
    media: NewMedia,
    /// When, up to a year ahead. Now unless given.
    #[serde(default)]
    publish_at: Option<Timestamp>,
    /// After how long late is too late (ISO 8601). `P7D` unless given.
    #[serde(default)]
    publish_within: Option<String>,
}

/// What a Pin shows.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum NewMedia {
    /// One image, which Pinterest fetches itself.
    Image {
        /// Its public address.
        url: String,
    },
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
}

impl NewPin {
    /// Checks each field, in the order of the documentation: the first rule that is broken is told.
    pub(super) fn check(self, now: Timestamp) -> Result<Checked, Invalid> {
        let publish_at = publish_at(self.publish_at, now)?;
        let NewMedia::Image { url } = self.media;
        Ok(Checked {
            channel_id: ChannelId::try_from(self.channel_id)?,
            board: given(self.board_id).map(BoardId::try_from).transpose()?,
            section: given(self.board_section_id).map(SectionId::try_from).transpose()?,
            title: Title::new("title", self.title)?,
            description: Description::new("description", self.description)?,
            link: given(self.link).map(|link| WebAddress::new("link", link)).transpose()?,
            alt_text: AltText::new("alt_text", self.alt_text)?,
            dominant_color: given(self.dominant_color).map(Color::new).transpose()?,
            media: Media::Image { url: WebAddress::new("media.url", url)? },
            publish_at,
            give_up_at: publish_at + publish_within(self.publish_within.as_deref())?,
        })
    }
}

impl Checked {
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
fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn publish_at(wanted: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, Invalid> {
    let Some(wanted) = wanted else { return Ok(now) };
    let ahead = wanted.duration_since(now);
    if ahead < -STILL_NOW {
        let fix = "Give a time that is still to come, or leave publish_at out to publish now.";
        return Err(Invalid::new("publish_at", "publish_at_past", "lies in the past", fix));
    }
    if ahead > YEAR {
        let detail = "lies more than a year ahead";
        return Err(Invalid::new("publish_at", "publish_at_too_far", detail, "Give an earlier time."));
    }
    Ok(wanted.max(now))
}

fn publish_within(wanted: Option<&str>) -> Result<SignedDuration, Invalid> {
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

    #[test]
    fn a_time_that_has_just_passed_means_now() {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let minute = SignedDuration::from_mins(1);
        assert_eq!(publish_at(Some(now - minute * 5), now).unwrap(), now);
        assert!(publish_at(Some(now - minute * 6), now).is_err());
        assert!(publish_at(Some(now + SignedDuration::from_hours(367 * 24)), now).is_err());
        assert_eq!(publish_at(Some(now + minute), now).unwrap(), now + minute);
    }
}
