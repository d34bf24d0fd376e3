//! Messages for people that programs can recognise.

use std::{collections::BTreeMap, fmt};

/// The values in a sentence, by name.
pub type Params = BTreeMap<String, String>;

/// A message, with the data that a program needs to translate it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The name of the sentence: stable, in `snake_case`.
    pub reason: String,
    /// The sentence in English. It may be empty.
    pub text: String,
    /// The values in it.
    pub params: Params,
}

/// A template of a message. It may have placeholders for values: `attempt {number}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phrase {
    /// The name of the sentence: stable, in `snake_case`.
    pub reason: &'static str,
    /// The sentence in English.
    pub text: &'static str,
}

impl Phrase {
    /// The message with a value for each placeholder.
    #[must_use]
    pub fn with<const N: usize>(self, values: [(&str, impl fmt::Display); N]) -> Message {
        let mut params = Params::new();
        params.extend(values.map(|(name, value)| (name.to_owned(), value.to_string())));
        let mut text = self.text.to_owned();
        for (name, value) in &params {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        Message { reason: self.reason.to_owned(), text, params }
    }
}

/// A message without values.
impl From<Phrase> for Message {
    fn from(phrase: Phrase) -> Self {
        Self { reason: phrase.reason.to_owned(), text: phrase.text.to_owned(), params: Params::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_its_values_in_the_text_and_by_name() {
        let phrase = Phrase { reason: "moved", text: "from {from} to {to}" };
        let message = phrase.with([("from", "1"), ("to", "2")]);
        assert_eq!((message.reason.as_str(), message.text.as_str()), ("moved", "from 1 to 2"));
        assert_eq!(message.params, Params::from([("from".into(), "1".into()), ("to".into(), "2".into())]));
    }
}
