//! The query parameters of the API.

use domain::Invalid;
use edge::{
    ApiRequest, DEFAULT_LIMIT, MAX_LIMIT,
    query::{Parameter, Query},
};
use pinterest::{PIN_METRICS, SORTS};

use crate::{
    handlers::{DEFAULT_TOP_PINS, MAX_TOP_PINS},
    limits::MAX_TENANT_CHARS,
    vocabulary::{ChannelMetric, PinListSort, PinMetric, PinSort, PinState},
};

const METRICS: &str = "Only these metrics, by Pinterest's names: repeat the parameter, or separate them by commas. Default: all.";

pub(crate) const CURSOR: Parameter = Parameter::new_text(
    "cursor",
    "invalid_cursor",
    "Where the page begins: `next` of the page before. Default: the first page.",
);
pub(crate) const LIMIT: Parameter =
    Parameter::new_limit(DEFAULT_LIMIT, MAX_LIMIT, "How many items the page holds at most.");
pub(crate) const TOP_PINS_LIMIT: Parameter =
    Parameter::new_limit(DEFAULT_TOP_PINS, MAX_TOP_PINS, "How many Pins.");
pub(crate) const SECTIONS: Parameter =
    Parameter::new_flag("sections", "Also read the sections of each board.");
pub(crate) const FETCH_MEDIA: Parameter =
    Parameter::new_flag("fetch_media", "Also look at the first bytes of the media at their addresses.");
pub(crate) const DRY_RUN: Parameter = Parameter::new_flag("dry_run", "Check the rows and store nothing.");
pub(crate) const DEFAULT_CHANNEL: Parameter =
    Parameter::new_channel("The channel of the rows that name none.");
pub(crate) const CHANNEL: Parameter = Parameter::new_channel("Only the Pins of this channel.");
pub(crate) const STATE: Parameter = Parameter::new_word(
    "state",
    PinState::NAME,
    &domain::State::NAMES,
    "invalid_state",
    "Only the Pins in this state.",
);
pub(crate) const FROM: Parameter =
    Parameter::new_date("from", "The first day, in UTC: at most 89 days ago. Default: 29 days before `to`.");
pub(crate) const TO: Parameter =
    Parameter::new_date("to", "The last day, in UTC, which is included. Default: today.");
pub(crate) const PINS_FROM: Parameter = Parameter::new_from(
    "from",
    "Only the Pins whose time, by which they are sorted, is not before this: a time as RFC 3339 writes it, or a day in UTC.",
);
pub(crate) const PINS_TO: Parameter =
    Parameter::new_to("to", "And is before this. A day is included as a whole.");
pub(crate) const SORT: Parameter = Parameter::new_word(
    "sort",
    PinListSort::NAME,
    &PinListSort::ALL,
    "invalid_sort",
    "By which time Pins are sorted: when they were asked for, or when they are to be published. With `-`, the latest comes first. Default: `-created_at`.",
);
pub(crate) const SORT_BY: Parameter = Parameter::new_word(
    "sort_by",
    PinSort::NAME,
    SORTS,
    "invalid_sort",
    "The metric by which Pins are ranked. Default: `IMPRESSION`.",
);
pub(crate) const CHANNEL_METRICS: Parameter = Parameter::new_words(
    "metrics",
    ChannelMetric::NAME,
    pinterest::CHANNEL_METRICS,
    "invalid_metric",
    METRICS,
);
pub(crate) const METRICS_OF_PIN: Parameter =
    Parameter::new_words("metrics", PinMetric::NAME, PIN_METRICS, "invalid_metric", METRICS);

pub(crate) const TENANT: Parameter =
    Parameter::new_text("tenant", "too_long", "The tenant. Default: the caller's own.")
        .with_max_length(MAX_TENANT_CHARS);

/// No parameters.
pub(crate) const NONE: Query = Query::only(&[]);

/// What Pinterest sends back with the browser. It may add parameters, and RFC 6749, section 4.1.2, tells clients to ignore
/// those that they do not know.
pub(crate) const CALLBACK: Query = Query::open(&[
    Parameter::new_text("code", "too_long", "What the tokens are exchanged for, if the owner pressed Allow."),
    Parameter::new_text("state", "too_long", "Ties the answer to the user who started."),
    Parameter::new_text("error", "too_long", "Why there is no code."),
]);

/// The id after which a page begins.
pub(crate) fn cursor<T: TryFrom<String>>(request: &ApiRequest) -> Result<Option<T>, Invalid> {
    let id = request.query(CURSOR.name).map(|id| T::try_from(id.to_owned())).transpose();
    id.map_err(|_| CURSOR.wrong("leads to no page", "Use `next` of the page before."))
}
