//! How Pins that are read again differ from what was sent. The contract guarantees their ids only; the rest is what people
//! report.

use serde::{Deserialize, Serialize};

/// What `GET /pins`, `GET /pins/{pin_id}` and `GET /boards/{board_id}/pins` do to a Pin. The answer to `POST /pins`
/// always shows what was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Listing {
    /// The title.
    pub title: ListedTitle,
    /// The description.
    pub description: ListedDescription,
    /// Whether the texts are escaped as HTML: `&` is `&amp;`.
    pub escape: bool,
    /// The alternative text.
    pub alt_text: ListedAltText,
    /// The destination link.
    pub link: ListedLink,
    /// The form of the time of creation.
    pub created_at: ListedTime,
    /// How many minutes Pinterest's clock is ahead of ours; behind, if it is negative.
    pub created_at_minutes: i32,
}

/// The title of a Pin that is read again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListedTitle {
    /// As it was sent.
    #[default]
    AsSent,
    /// That of the page that the Pin leads to, as with Rich Pins: always `Green salad | Blog`.
    Page,
    /// As it was sent, with ` | Blog` after it.
    Append,
}

/// The description of a Pin that is read again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListedDescription {
    /// As it was sent.
    #[default]
    AsSent,
    /// The first half of its characters, with `…` after it.
    Cut,
    /// There is no such field.
    Omit,
}

/// The alternative text of a Pin that is read again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListedAltText {
    /// As it was sent.
    #[default]
    AsSent,
    /// `null`.
    Null,
    /// There is no such field.
    Omit,
}

/// The link of a Pin that is read again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListedLink {
    /// As it was sent.
    #[default]
    AsSent,
    /// Without its query and fragment.
    StripQuery,
    /// With a slash at the end of its path, or without it if it was sent with one.
    Slash,
    /// There is no such field.
    Omit,
}

/// The time of creation of a Pin that is read again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListedTime {
    /// `2027-01-15T08:00:00`, in UTC: what the real Pinterest writes.
    #[default]
    NoZone,
    /// `2027-01-15T08:00:00Z`: what its contract promises.
    Zone,
    /// `2027-01-15T10:00:00+02:00`
    Offset,
    /// `1800000000`, a number.
    Epoch,
    /// `Fri, 15 Jan 2027 08:00:00 GMT`
    Rfc822,
    /// `null`.
    Null,
    /// There is no such field.
    Omit,
}
