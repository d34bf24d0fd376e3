//! Identifiers: ours, which sort by the time of their creation, and Pinterest's, which are decimal strings.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Invalid;

/// Crockford's base 32: no letter looks like a digit, and the text sorts like the number.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// 48 bits of milliseconds and 80 random bits, five bits a character: the layout of a ULID.
const ENCODED_LENGTH: usize = 26;

/// How many of these tell the time.
const TIME_LENGTH: usize = 10;

/// The random part of a new id.
pub type IdBytes = [u8; 10];

fn encode(now: Timestamp, random: IdBytes) -> String {
    let millis = u128::from(u64::try_from(now.as_millisecond()).unwrap_or_default());
    let random = random.iter().fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte));
    let number = (millis << 80) | random;
    (0..ENCODED_LENGTH)
        .rev()
        .map(|place| char::from(ALPHABET[usize::try_from((number >> (5 * place)) & 31).unwrap_or_default()]))
        .collect()
}

/// The time in an id, behind its prefix.
fn decode_time(letters: &str) -> Timestamp {
    let digits =
        letters.bytes().take(TIME_LENGTH).map(|letter| ALPHABET.iter().position(|known| *known == letter));
    let millis = digits
        .fold(0_i64, |sum, digit| (sum << 5) | i64::try_from(digit.unwrap_or_default()).unwrap_or_default());
    Timestamp::from_millisecond(millis).unwrap_or_default()
}

/// Declares an id of our own: a prefix and 26 characters that sort by the time of making.
macro_rules! own_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $field:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String", extend("pattern" = concat!("^", $prefix, "[0-9a-hjkmnp-tv-z]{26}$")))]
        pub struct $name(String);

        impl $name {
            /// A new id. Two ids of the same instant differ by their random part.
            #[must_use]
            pub fn new(now: Timestamp, random: IdBytes) -> Self {
                Self(format!("{}{}", $prefix, encode(now, random)))
            }

            /// When it was made.
            #[must_use]
            pub fn made_at(&self) -> Timestamp {
                decode_time(&self.0[$prefix.len()..])
            }

            /// The id as callers write it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(text: String) -> Result<Self, Invalid> {
                match text.strip_prefix($prefix) {
                    Some(rest) if rest.len() == ENCODED_LENGTH && rest.bytes().all(|byte| ALPHABET.contains(&byte)) => {
                        Ok(Self(text))
                    }
                    _ => Err(Invalid::new(
                        $field,
                        "invalid_id",
                        concat!("is not an id of ours: those begin with `", $prefix, "`"),
                        "Use the id as an earlier answer of this API gave it.",
                    )),
                }
            }
        }

        plain_text!($name);
    };
}

/// Declares an id that Pinterest gives out.
macro_rules! pinterest_id {
    ($(#[$doc:meta])* $name:ident, $field:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String", extend("pattern" = "^[0-9]{1,40}$"))]
        pub struct $name(String);

        impl $name {
            /// The id as text: decimal digits, too many for a float.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(text: String) -> Result<Self, Invalid> {
                if (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Ok(Self(text));
                }
                Err(Invalid::new(
                    $field,
                    "invalid_id",
                    "is not an id of Pinterest: those are decimal digits",
                    "Use an id as Pinterest, or the list of boards, gave it.",
                ))
            }
        }

        plain_text!($name);
    };
}

/// The methods of both kinds of ids.
macro_rules! plain_text {
    ($name:ident) => {
        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

own_id!(
    /// A connected Pinterest account of one tenant.
    ChannelId,
    "ch_",
    "channel_id"
);
own_id!(
    /// A Pin of Pinwright. Its id at Pinterest is another one.
    PinId,
    "pin_",
    "pin_id"
);
own_id!(
    /// A file in the stack's bucket.
    MediaId,
    "media_",
    "media_id"
);
pinterest_id!(
    /// A Pinterest account. It stays the same when the username changes.
    PinterestUserId,
    "pinterest_user_id"
);
pinterest_id!(
    /// A board.
    BoardId,
    "board_id"
);
pinterest_id!(
    /// A section of a board.
    SectionId,
    "board_section_id"
);
pinterest_id!(
    /// A Pin at Pinterest.
    PinterestPinId,
    "pinterest_pin_id"
);

pinterest_id!(
    /// A video that was, or is to be, uploaded to Pinterest.
    PinterestMediaId,
    "pinterest_media_id"
);

impl PinterestPinId {
    /// The page where people see the Pin.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://www.pinterest.com/pin/{}/", self.0)
    }
}

/// The owner of channels and Pins. It comes from the caller's token, never from a path or a body.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TenantId(pub String);

/// The person who calls: the `sub` of their token (RFC 7519, section 4.1.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub String);

impl fmt::Display for TenantId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    #[test]
    fn an_id_is_read_back_as_it_was_written() {
        let id = PinId::new(at(1_790_000_000_000), [7; 10]);
        assert_eq!(PinId::try_from(id.to_string()).unwrap(), id);
        assert_eq!(id.as_str().len(), 4 + ENCODED_LENGTH);
        assert_eq!(id.made_at(), at(1_790_000_000_000));
    }

    #[test]
    fn ids_sort_by_the_time_they_were_made() {
        let earlier = PinId::new(at(1_790_000_000_000), [255; 10]);
        let later = PinId::new(at(1_790_000_000_001), [0; 10]);
        assert!(earlier < later);
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let channel = ChannelId::new(at(1), [0; 10]).to_string();
        assert!(PinId::try_from(channel).is_err());
        assert!(BoardId::try_from("12a".to_owned()).is_err());
        assert!(BoardId::try_from(String::new()).is_err());
        assert!(BoardId::try_from("١٢".to_owned()).is_err(), "digits of other scripts are not decimal here");
    }
}
