//! Values in requests and answers that are enumerations in the contract, but plain text in the code.

use std::borrow::Cow;

use edge::codes;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// Declares an enumeration of the contract. No value has this type: it only describes fields that are text.
macro_rules! enumeration {
    ($name:ident, $description:literal, $words:expr) => {
        #[doc = $description]
        pub(crate) struct $name;

        impl $name {
            /// Its name in the contract.
            pub(crate) const NAME: &str = stringify!($name);
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                Self::NAME.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let words: Vec<&str> = $words.iter().copied().collect();
                json_schema!({ "type": "string", "enum": words, "description": $description })
            }
        }
    };
}

enumeration!(PinState, "The state of a Pin.", domain::State::NAMES);
enumeration!(BoardPrivacy, "Who may see a board.", ["PUBLIC", "PROTECTED", "SECRET"]);
enumeration!(ChannelMetric, "A metric of an account, by Pinterest's name.", pinterest::CHANNEL_METRICS);
enumeration!(
    PinMetric,
    "A metric of a Pin, by Pinterest's name. Some are counted for images only, and some for videos only.",
    pinterest::PIN_METRICS
);
enumeration!(PinSort, "The metric by which Pins are ranked.", pinterest::SORTS);
enumeration!(PinListSort, "The time by which a list of Pins is sorted.", PinListSort::ALL);

impl PinListSort {
    /// With `-`, the latest comes first.
    pub(crate) const ALL: [&str; 4] = ["created_at", "-created_at", "publish_at", "-publish_at"];
}

enumeration!(
    ImageContentType,
    "The kind of an image that comes within a request.",
    domain::FileType::INLINE.map(domain::FileType::content_type)
);
enumeration!(
    FileContentType,
    "The kind of a file.",
    domain::FileType::ALL.map(domain::FileType::content_type)
);

enumeration!(CheckName, "The name of a check.", CheckName::ALL);

impl CheckName {
    /// In the order of the answer.
    pub(crate) const ALL: [&str; 12] = [
        "integration",
        "channel",
        "scopes",
        "tier",
        "pause",
        "fields",
        "files",
        "token",
        "board",
        "section",
        "duplicate",
        "media",
    ];
}

/// Every code of a problem, with what it means.
pub(crate) struct ProblemCode;

impl JsonSchema for ProblemCode {
    fn schema_name() -> Cow<'static, str> {
        "ProblemCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let (codes, meanings): (Vec<&str>, Vec<&str>) =
            codes::all().map(|code| (code.code, code.meaning)).unzip();
        json_schema!({
            "type": "string",
            "enum": codes,
            "x-enum-descriptions": meanings,
            "description": "What went wrong, for programs. A code keeps its meaning; later versions may have more of them.",
        })
    }
}
