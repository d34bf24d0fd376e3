//! What a request discloses of the part that artificial intelligence has in a Pin.

use domain::{AiDisclosure, AiDisclosures, Invalid};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

/// What is disclosed, by Pinterest's names.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAiDisclosures {
    /// All disclosures that apply to the Pin. An empty list is no disclosure.
    #[schemars(with = "Vec<AiDisclosure>", length(max = AiDisclosure::ALL.len()))]
    values: Vec<String>,
}

impl NewAiDisclosures {
    pub(super) fn check(self) -> Result<Option<AiDisclosures>, Invalid> {
        AiDisclosures::new(&self.values)
    }
}

/// Reads an object, or `null`.
pub(super) fn object_or_null<'de, D: Deserializer<'de>>(
    value: D,
) -> Result<Option<NewAiDisclosures>, D::Error> {
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Object(#[serde(deserialize_with = "edge::object")] NewAiDisclosures);

    Ok(Option::<Object>::deserialize(value)?.map(|Object(disclosures)| disclosures))
}
