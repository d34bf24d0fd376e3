//! Query parameters. Operations declare them; requests are checked against the declarations, and the contract is generated
//! from them.

use domain::{ChannelId, Invalid};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use lambda_http::aws_lambda_events::query_map::QueryMap;
use serde_json::{Value, json};

/// How many characters of an unknown name or value an error repeats.
const MAX_REPEATED_CHARS: usize = 40;
/// The longest cursor.
const MAX_TEXT_CHARS: usize = 4096;

/// The longest time, as the contract tells it.
const MAX_TIME_CHARS: usize = 40;

/// A query parameter.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    pub name: &'static str,
    pub description: &'static str,
    kind: Kind,
    /// The code of the problem for a wrong value.
    code: &'static str,
}

/// The values that a parameter accepts.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// `true`, `false`, `1` or `0`, in upper or lower case. Anything else is refused: it must not count as "no".
    Flag,
    /// From 1 to `max`.
    Number { default: u16, max: u16 },
    /// As RFC 3339 writes it.
    Date,
    /// The same, or with a time and an offset. A day by itself means its beginning, or its end.
    Instant { is_end: bool },
    /// A channel's id.
    Channel,
    /// One of these words, which are a schema of the contract.
    Word { schema: &'static str, words: &'static [&'static str] },
    /// Some of these words.
    Words { schema: &'static str, words: &'static [&'static str] },
    /// Any text that is not longer than this.
    Text { max_length: usize },
}

/// The query parameters of an operation.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    pub parameters: &'static [Parameter],
    /// Whether unknown and repeated parameters are refused.
    strict: bool,
}

impl Parameter {
    /// A flag. Absent, it is not set.
    #[must_use]
    pub const fn new_flag(name: &'static str, description: &'static str) -> Self {
        Self { name, kind: Kind::Flag, code: "invalid_type", description }
    }

    /// How many items an answer holds: from 1 to `max`.
    #[must_use]
    pub const fn new_limit(default: u16, max: u16, description: &'static str) -> Self {
        Self { name: "limit", kind: Kind::Number { default, max }, code: "invalid_limit", description }
    }

    /// A day.
    #[must_use]
    pub const fn new_date(name: &'static str, description: &'static str) -> Self {
        Self { name, kind: Kind::Date, code: "invalid_date", description }
    }

    /// A time: an instant, or the beginning of a day in UTC.
    #[must_use]
    pub const fn new_from(name: &'static str, description: &'static str) -> Self {
        Self { name, kind: Kind::Instant { is_end: false }, code: "invalid_date", description }
    }

    /// A time: an instant, or the end of a day in UTC.
    #[must_use]
    pub const fn new_to(name: &'static str, description: &'static str) -> Self {
        Self { name, kind: Kind::Instant { is_end: true }, code: "invalid_date", description }
    }

    /// Any text.
    #[must_use]
    pub const fn new_text(name: &'static str, code: &'static str, description: &'static str) -> Self {
        Self { name, kind: Kind::Text { max_length: MAX_TEXT_CHARS }, code, description }
    }

    /// The same text, of at most so many characters.
    #[must_use]
    pub const fn with_max_length(self, max_length: usize) -> Self {
        Self { kind: Kind::Text { max_length }, ..self }
    }

    /// A channel.
    #[must_use]
    pub const fn new_channel(description: &'static str) -> Self {
        Self { name: "channel_id", kind: Kind::Channel, code: "invalid_id", description }
    }

    /// One of some words. `schema` is what the contract calls the enumeration of them.
    #[must_use]
    pub const fn new_word(
        name: &'static str,
        schema: &'static str,
        words: &'static [&'static str],
        code: &'static str,
        description: &'static str,
    ) -> Self {
        Self { name, kind: Kind::Word { schema, words }, code, description }
    }

    /// A list of words.
    #[must_use]
    pub const fn new_words(
        name: &'static str,
        schema: &'static str,
        words: &'static [&'static str],
        code: &'static str,
        description: &'static str,
    ) -> Self {
        Self { name, kind: Kind::Words { schema, words }, code, description }
    }
}

impl Query {
    /// Whether anything else than the parameters is refused.
    #[must_use]
    pub const fn is_strict(&self) -> bool {
        self.strict
    }

    /// Only these parameters: unknown and repeated ones are refused.
    #[must_use]
    pub const fn only(parameters: &'static [Parameter]) -> Self {
        Self { parameters, strict: true }
    }

    /// These parameters, and any others.
    #[must_use]
    pub const fn open(parameters: &'static [Parameter]) -> Self {
        Self { parameters, strict: false }
    }

    /// Refuses unknown parameters, repeated ones, and values of the wrong type.
    pub fn check(&self, given: &QueryMap) -> Result<(), Invalid> {
        if !self.strict {
            return Ok(());
        }
        let names: Vec<_> = given.iter().map(|(name, _)| name).collect();
        let known = |name: &str| self.parameters.iter().any(|parameter| parameter.name == name);
        // The order of a map is random, so the error names the first by name.
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
            Kind::Instant { .. } => self.instant(text).map(drop),
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

    /// The error of a wrong value.
    pub fn wrong(&self, detail: impl Into<String>, fix: impl Into<String>) -> Invalid {
        Invalid::new(self.name, self.code, detail, fix)
    }

    pub fn flag(&self, text: &str) -> Result<bool, Invalid> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => {
                let detail = format!("is neither true nor false: '{}'", shortened(text));
                Err(self.wrong(detail, format!("Write {0}=true or {0}=false.", self.name)))
            }
        }
    }

    pub fn number(&self, text: &str) -> Result<u16, Invalid> {
        let Kind::Number { default, max } = self.kind else { return Ok(0) };
        // `+5` is a number for Rust, and not for the contract.
        let number = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        number.filter(|number| (1..=max).contains(number)).ok_or_else(|| {
            self.wrong(format!("is not a number from 1 to {max}"), format!("Leave it out for {default}."))
        })
    }

    /// The default number.
    #[must_use]
    pub const fn default_number(&self) -> u16 {
        match self.kind {
            Kind::Number { default, .. } => default,
            _ => 0,
        }
    }

    pub fn date(&self, text: &str) -> Result<Date, Invalid> {
        // Other forms of a date are not accepted.
        let date = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
        date.ok_or_else(|| self.wrong("is not a date", "Write a date as YYYY-MM-DD; days are those of UTC."))
    }

    pub fn instant(&self, text: &str) -> Result<Timestamp, Invalid> {
        let Kind::Instant { is_end } = self.kind else { return Ok(Timestamp::UNIX_EPOCH) };
        let of_day = |day: Date| {
            let day = if is_end { day.tomorrow() } else { Ok(day) };
            Some(day.ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp())
        };
        let instant = match self.date(text) {
            Ok(day) => of_day(day),
            Err(_) => text.parse().ok(),
        };
        instant.ok_or_else(|| {
            let fix = "Write `2026-12-01T09:00:00Z`, or a day in UTC as `2026-12-01`; a `+` is `%2B` in an address.";
            self.wrong("is neither a time with an offset or `Z` nor a day", fix)
        })
    }

    pub fn channel(&self, text: &str) -> Result<ChannelId, Invalid> {
        let id = ChannelId::try_from(text.to_owned());
        id.map_err(|invalid| Invalid { field: self.name.to_owned(), code: self.code, ..invalid })
    }

    pub fn word(&self, text: &str) -> Result<&'static str, Invalid> {
        let Kind::Word { words, .. } = self.kind else { return Ok("") };
        words.iter().copied().find(|word| *word == text).ok_or_else(|| {
            let detail = format!("has an unknown value: '{}'", shortened(text));
            self.wrong(detail, format!("Use one of {}.", words.join(", ")))
        })
    }

    /// The words of a list that is separated by commas.
    pub fn words(&self, text: &str) -> Result<Vec<&'static str>, Invalid> {
        let Kind::Words { words, .. } = self.kind else { return Ok(Vec::new()) };
        let one = |text: &str| {
            words.iter().copied().find(|word| *word == text).ok_or_else(|| {
                let detail = format!("holds an unknown value: '{}'", shortened(text));
                self.wrong(detail, format!("Use any of {}, separated by commas.", words.join(", ")))
            })
        };
        text.split(',').map(str::trim).map(one).collect()
    }

    /// The parameter in the contract.
    #[must_use]
    pub fn described(&self) -> Value {
        let named = |schema: &str| json!({ "$ref": format!("#/components/schemas/{schema}") });
        let schema = match self.kind {
            Kind::Flag => json!({ "type": "boolean", "default": false }),
            Kind::Number { default, max } => json!({
                "type": "integer", "format": "int32", "minimum": 1, "maximum": max, "default": default,
            }),
            Kind::Date => json!({ "type": "string", "format": "date" }),
            // A schema that is one thing or another makes clumsy clients.
            Kind::Instant { .. } => json!({ "type": "string", "maxLength": MAX_TIME_CHARS }),
            Kind::Channel => named("ChannelId"),
            Kind::Word { schema, .. } => named(schema),
            Kind::Words { schema, words } => {
                json!({ "type": "array", "items": named(schema), "maxItems": words.len() })
            }
            Kind::Text { max_length } => json!({ "type": "string", "maxLength": max_length }),
        };
        let mut described = json!({
            "name": self.name, "in": "query", "required": false, "allowEmptyValue": !matches!(self.kind, Kind::Flag),
            "description": self.description, "schema": schema,
        });
        if self.is_list() {
            // The form that every client generator sends for a list; commas are accepted as well.
            described["style"] = "form".into();
            described["explode"] = true.into();
        }
        described
    }
}

/// The beginning of a text from a caller.
fn shortened(text: &str) -> String {
    text.chars().take(MAX_REPEATED_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: Query = Query::only(&[
        Parameter::new_flag("dry_run", ""),
        Parameter::new_word("state", "State", &["published", "failed"], "invalid_state", ""),
        Parameter::new_words("metrics", "Metric", &["SAVE", "SAVE_RATE"], "invalid_metric", ""),
    ]);

    fn refused(query: Query, query_string: &str) -> Option<(String, &'static str)> {
        let Ok(query_string) = query_string.parse::<QueryMap>();
        query.check(&query_string).err().map(|invalid| (invalid.field, invalid.code))
    }

    #[test]
    fn a_flag_is_true_or_false_or_refused() {
        let flag = Parameter::new_flag("dry_run", "");
        for (text, value) in
            [("true", true), ("True", true), ("1", true), ("false", false), ("FALSE", false), ("0", false)]
        {
            assert_eq!(flag.flag(text), Ok(value), "{text}");
        }
        for bad in ["dry_run", "dry_run=", "dry_run=yes", "dry_run=on", "dry_run=2", "dry_run=true%20"] {
            let expected = Some(("dry_run".to_owned(), "invalid_type"));
            assert_eq!(refused(LIST, bad), expected, "{bad}");
        }
    }

    #[test]
    fn a_time_is_an_instant_or_a_day_that_begins_or_ends() {
        let (from, to) = (Parameter::new_from("from", ""), Parameter::new_to("to", ""));
        let formatted = |parameter: Parameter, text: &str| parameter.instant(text).map(|at| at.to_string());
        for (text, begins, ends) in [
            ("2026-12-01", "2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z"),
            ("2026-12-01T09:00:00Z", "2026-12-01T09:00:00Z", "2026-12-01T09:00:00Z"),
            ("2026-12-01T09:00:00+03:00", "2026-12-01T06:00:00Z", "2026-12-01T06:00:00Z"),
        ] {
            assert_eq!(formatted(from, text), Ok(begins.to_owned()));
            assert_eq!(formatted(to, text), Ok(ends.to_owned()));
        }
        for bad in ["yesterday", "2026-12-01T09:00:00", "2026-12-01T09:00:00 03:00", "20261201", "2026-13-01"]
        {
            assert_eq!(from.instant(bad).map_err(|invalid| invalid.code), Err("invalid_date"), "{bad}");
        }
    }

    #[test]
    fn an_unknown_parameter_and_a_repeated_one_are_refused() {
        let error = |field: &str, code| Some((field.to_owned(), code));
        assert_eq!(refused(LIST, "dryRun=true"), error("dryRun", "unknown_parameter"));
        assert_eq!(refused(Query::only(&[]), "x=1"), error("x", "unknown_parameter"));
        assert_eq!(refused(LIST, "state=published&state=failed"), error("state", "repeated_parameter"));
        assert_eq!(refused(LIST, "metrics=SAVE&metrics=SAVE,SAVE_RATE"), None);
    }

    #[test]
    fn an_open_query_ignores_what_it_does_not_know() {
        assert_eq!(refused(Query::open(&[]), "code=a&scope=c&scope=d"), None);
    }
}
