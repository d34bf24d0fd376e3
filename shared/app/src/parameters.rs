//! The query parameters of each operation, declared once: requests are checked by these declarations, and the contract
//! is made of them.

use domain::{ChannelId, Invalid};
use jiff::civil::Date;
use lambda_http::aws_lambda_events::query_map::QueryMap;
use pinterest::{PIN_METRICS, SORTS};
use serde_json::{Value, json};

use crate::{
    functions::{PAGE, TOP_PINS},
    routes::Operation,
    vocabulary::{ChannelMetric, PIN_STATES, PinMetric, PinSort, PinState},
};

/// How many characters of a name or value that nobody knows are repeated to the caller.
const REPEATED: usize = 40;
/// The most characters of a cursor.
const LONGEST: usize = 4096;

/// A query parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    kind: Kind,
    /// The code of the problem that a wrong value is.
    code: &'static str,
}

/// What values a parameter takes.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// `true` or `false`, in exactly these letters: `True` must not be taken for "no".
    Flag,
    /// From 1 to `max`.
    Number { default: u16, max: u16 },
    /// As RFC 3339 writes it.
    Date,
    /// A channel's id.
    Channel,
    /// One of these words, which are a schema of the contract.
    Word { schema: &'static str, words: &'static [&'static str] },
    /// Some of these words.
    Words { schema: &'static str, words: &'static [&'static str] },
    /// Any text that is not longer than this.
    Text { max_length: usize },
}

/// What an operation takes in its query.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query {
    pub(crate) parameters: &'static [Parameter],
    /// Whether anything else, and a parameter that is given twice, is refused.
    strict: bool,
}

const fn parameter(
    name: &'static str,
    kind: Kind,
    code: &'static str,
    description: &'static str,
) -> Parameter {
    Parameter { name, description, kind, code }
}

const fn flag(name: &'static str, description: &'static str) -> Parameter {
    parameter(name, Kind::Flag, "invalid_type", description)
}

const fn number((default, max): (u16, u16), description: &'static str) -> Parameter {
    parameter("limit", Kind::Number { default, max }, "invalid_limit", description)
}

const fn date(name: &'static str, description: &'static str) -> Parameter {
    parameter(name, Kind::Date, "invalid_date", description)
}

const fn text(name: &'static str, description: &'static str) -> Parameter {
    parameter(name, Kind::Text { max_length: LONGEST }, "too_long", description)
}

const fn metrics(schema: &'static str, words: &'static [&'static str]) -> Parameter {
    let text = "Only these metrics, by Pinterest's names: repeat the parameter, or separate them by commas. All unless given.";
    parameter("metrics", Kind::Words { schema, words }, "invalid_metric", text)
}

pub(crate) const CURSOR: Parameter = Parameter {
    code: "invalid_cursor",
    ..text("cursor", "Where the page begins: `next` of the page before. The first page unless given.")
};
pub(crate) const LIMIT: Parameter = number(PAGE, "How many items the page holds at most.");
pub(crate) const BEST: Parameter = number(TOP_PINS, "How many Pins.");
pub(crate) const SECTIONS: Parameter = flag("sections", "Also read the sections of each board.");
pub(crate) const FETCH_MEDIA: Parameter = flag(
    "fetch_media",
    "Also ask the hosts of the media whether they have the files, and of which kind they are.",
);
pub(crate) const DRY_RUN: Parameter = flag("dry_run", "Check the rows and store nothing.");
pub(crate) const DEFAULT_CHANNEL: Parameter =
    parameter("channel_id", Kind::Channel, "invalid_id", "The channel of the rows that name none.");
pub(crate) const CHANNEL: Parameter =
    parameter("channel_id", Kind::Channel, "invalid_id", "Only the Pins of this channel.");
pub(crate) const STATE: Parameter = parameter(
    "state",
    Kind::Word { schema: PinState::NAME, words: PIN_STATES },
    "invalid_state",
    "Only the Pins in this state.",
);
pub(crate) const FROM: Parameter =
    date("from", "The first day, in UTC: at most 89 days ago. 29 days before `to` unless given.");
pub(crate) const TO: Parameter = date("to", "The last day, in UTC, which is included. Today unless given.");
pub(crate) const SORT_BY: Parameter = parameter(
    "sort_by",
    Kind::Word { schema: PinSort::NAME, words: SORTS },
    "invalid_sort",
    "By which metric the best Pins are found. `IMPRESSION` unless given.",
);
pub(crate) const CHANNEL_METRICS: Parameter = metrics(ChannelMetric::NAME, pinterest::CHANNEL_METRICS);
pub(crate) const METRICS_OF_PIN: Parameter = metrics(PinMetric::NAME, PIN_METRICS);

/// What Pinterest sends back with the browser.
const CALLBACK: &[Parameter] = &[
    text("code", "What the tokens are exchanged for, if the owner pressed Allow."),
    text("state", "Ties the answer to the user who started."),
    text("error", "Why there is no code."),
];

/// What `operation` takes.
pub(crate) const fn query(operation: Operation) -> Query {
    let parameters: &[Parameter] = match operation {
        Operation::ListChannels | Operation::PinMetrics => &[CURSOR, LIMIT],
        Operation::ListPins => &[CHANNEL, STATE, CURSOR, LIMIT],
        Operation::ListBoards => &[SECTIONS],
        Operation::ValidatePin => &[FETCH_MEDIA],
        Operation::BulkPins => &[DRY_RUN, DEFAULT_CHANNEL],
        Operation::ChannelAnalytics => &[FROM, TO, CHANNEL_METRICS],
        Operation::PinAnalytics => &[FROM, TO, METRICS_OF_PIN],
        Operation::TopPins => &[FROM, TO, CHANNEL_METRICS, SORT_BY, BEST],
        Operation::OAuthCallback => CALLBACK,
        _ => &[],
    };
    let strict = !matches!(
        operation,
        // Pinterest may add parameters, and RFC 6749, section 4.1.2, tells clients to ignore those that they do not know.
        Operation::OAuthCallback
        // Pages have queries of their own, which their scripts read.
        | Operation::Home | Operation::Page | Operation::PageFile
    );
    Query { parameters, strict }
}

impl Query {
    /// Refuses what is not declared, what is given twice, and values of the wrong type.
    pub(crate) fn check(&self, given: &QueryMap) -> Result<(), Invalid> {
        if !self.strict {
            return Ok(());
        }
        let names: Vec<_> = given.iter().map(|(name, _)| name).collect();
        let known = |name: &str| self.parameters.iter().any(|parameter| parameter.name == name);
        // The order of a map is random: the first by name is told.
        if let Some(unknown) = names.iter().copied().filter(|name| !known(name)).min() {
            let all: Vec<_> = self.parameters.iter().map(|parameter| parameter.name).collect();
            let fix = match &all[..] {
                [] => "Remove it: this operation takes no query parameters.".to_owned(),
                all => format!("Remove it, or use one of {}.", all.join(", ")),
            };
            let detail = "is not a query parameter of this operation";
            return Err(Invalid::new(shortened(unknown), "unknown_parameter", detail, fix));
        }
        for parameter in self.parameters {
            let values = given.all(parameter.name).unwrap_or_default();
            if values.len() > 1 && !parameter.is_list() {
                let fix = "Give it once.";
                return Err(Invalid::new(parameter.name, "repeated_parameter", "is given twice", fix));
            }
            values.into_iter().try_for_each(|value| parameter.check(value))?;
        }
        Ok(())
    }
}

impl Parameter {
    const fn is_list(&self) -> bool {
        matches!(self.kind, Kind::Words { .. })
    }

    /// An empty value is none, but not for a flag: `?dry_run` looks as if it were on.
    fn check(&self, text: &str) -> Result<(), Invalid> {
        match self.kind {
            Kind::Flag => self.flag(text).map(drop),
            _ if text.is_empty() => Ok(()),
            Kind::Number { .. } => self.number(text).map(drop),
            Kind::Date => self.date(text).map(drop),
            Kind::Channel => self.channel(text).map(drop),
            Kind::Word { .. } => self.word(text).map(drop),
            Kind::Words { .. } => self.words(text).map(drop),
            Kind::Text { max_length } if text.chars().count() > max_length => {
                let detail = format!("has more than {max_length} characters");
                Err(self.wrong(detail, "Use the value as an earlier answer gave it."))
            }
            Kind::Text { .. } => Ok(()),
        }
    }

    /// Says that a value is wrong.
    pub(crate) fn wrong(&self, detail: impl Into<String>, fix: impl Into<String>) -> Invalid {
        Invalid::new(self.name, self.code, detail, fix)
    }

    pub(crate) fn flag(&self, text: &str) -> Result<bool, Invalid> {
        text.parse().map_err(|_| {
            let detail = format!("is neither true nor false: '{}'", shortened(text));
            self.wrong(detail, format!("Write {0}=true or {0}=false, in small letters.", self.name))
        })
    }

    pub(crate) fn number(&self, text: &str) -> Result<u16, Invalid> {
        let Kind::Number { default, max } = self.kind else { return Ok(0) };
        // `+5` is a number for Rust, and not for the contract.
        let number = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        number.filter(|number| (1..=max).contains(number)).ok_or_else(|| {
            self.wrong(format!("is not a number from 1 to {max}"), format!("Leave it out for {default}."))
        })
    }

    /// The number that counts if none is given.
    pub(crate) const fn default_number(&self) -> u16 {
        match self.kind {
            Kind::Number { default, .. } => default,
            _ => 0,
        }
    }

    pub(crate) fn date(&self, text: &str) -> Result<Date, Invalid> {
        // Other spellings of a date have no place in an address.
        let date = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
        date.ok_or_else(|| self.wrong("is not a date", "Write a date as YYYY-MM-DD; days are those of UTC."))
    }

    pub(crate) fn channel(&self, text: &str) -> Result<ChannelId, Invalid> {
        let id = ChannelId::try_from(text.to_owned());
        id.map_err(|invalid| Invalid { field: self.name.to_owned(), code: self.code, ..invalid })
    }

    pub(crate) fn word(&self, text: &str) -> Result<&'static str, Invalid> {
        let Kind::Word { words, .. } = self.kind else { return Ok("") };
        words.iter().copied().find(|word| *word == text).ok_or_else(|| {
            let detail = format!("has a value that is not known: '{}'", shortened(text));
            self.wrong(detail, format!("Use one of {}.", words.join(", ")))
        })
    }

    /// The words of a list that is separated by commas.
    pub(crate) fn words(&self, text: &str) -> Result<Vec<&'static str>, Invalid> {
        let Kind::Words { words, .. } = self.kind else { return Ok(Vec::new()) };
        let one = |text: &str| {
            words.iter().copied().find(|word| *word == text).ok_or_else(|| {
                let detail = format!("holds a value that is not known: '{}'", shortened(text));
                self.wrong(detail, format!("Use any of {}, separated by commas.", words.join(", ")))
            })
        };
        text.split(',').map(str::trim).map(one).collect()
    }

    /// The parameter in the contract.
    pub(crate) fn described(&self) -> Value {
        let named = |schema: &str| json!({ "$ref": format!("#/components/schemas/{schema}") });
        let schema = match self.kind {
            Kind::Flag => json!({ "type": "boolean", "default": false }),
            Kind::Number { default, max } => json!({
                "type": "integer", "format": "int32", "minimum": 1, "maximum": max, "default": default,
            }),
            Kind::Date => json!({ "type": "string", "format": "date" }),
            Kind::Channel => named("ChannelId"),
            Kind::Word { schema, .. } => named(schema),
            Kind::Words { schema, words } => {
                json!({ "type": "array", "items": named(schema), "maxItems": words.len() })
            }
            Kind::Text { max_length } => json!({ "type": "string", "maxLength": max_length }),
        };
        let mut described = json!({
            "name": self.name, "in": "query", "required": false, "description": self.description, "schema": schema,
        });
        if self.is_list() {
            // What every client generator sends for a list; commas are taken as well.
            described["style"] = "form".into();
            described["explode"] = true.into();
        }
        described
    }
}

/// The beginning of a text that a caller made up.
fn shortened(text: &str) -> String {
    text.chars().take(REPEATED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(operation: Operation, given: &str) -> Option<(String, &'static str)> {
        let Ok(given) = given.parse::<QueryMap>();
        query(operation).check(&given).err().map(|invalid| (invalid.field, invalid.code))
    }

    #[test]
    fn a_flag_is_true_or_false_in_exactly_these_letters() {
        for good in ["", "dry_run=true", "dry_run=false"] {
            assert_eq!(refused(Operation::BulkPins, good), None, "{good}");
        }
        for bad in [
            "dry_run",
            "dry_run=",
            "dry_run=True",
            "dry_run=TRUE",
            "dry_run=1",
            "dry_run=yes",
            "dry_run=true%20",
        ] {
            let wanted = Some(("dry_run".to_owned(), "invalid_type"));
            assert_eq!(refused(Operation::BulkPins, bad), wanted, "{bad}");
        }
    }

    #[test]
    fn an_unknown_parameter_and_a_repeated_one_are_refused() {
        let told = |field: &str, code| Some((field.to_owned(), code));
        assert_eq!(refused(Operation::BulkPins, "dryRun=true"), told("dryRun", "unknown_parameter"));
        assert_eq!(refused(Operation::Health, "x=1"), told("x", "unknown_parameter"));
        let twice = "state=published&state=failed";
        assert_eq!(refused(Operation::ListPins, twice), told("state", "repeated_parameter"));
        assert_eq!(refused(Operation::TopPins, "metrics=SAVE&metrics=IMPRESSION,SAVE_RATE"), None);
    }

    #[test]
    fn what_pinterest_adds_to_the_callback_is_ignored() {
        assert_eq!(refused(Operation::OAuthCallback, "code=a&state=b&scope=c&scope=d"), None);
    }
}
