//! What a Pin discloses about the use of artificial intelligence.

use std::{collections::BTreeSet, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Invalid;

/// The disclosures about artificial intelligence of a Pin (`AiDisclosures` in Pinterest's contract).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AiDisclosures {
    /// All disclosures that apply to the Pin.
    #[schemars(length(min = 1))]
    values: BTreeSet<AiDisclosure>,
}

/// One disclosure, by Pinterest's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(description = "What artificial intelligence did: it made or changed the picture or the video \
                          (`AI_MODIFIED`), or a person in it is made by it (`SYNTHETIC_PERFORMER`).")]
pub enum AiDisclosure {
    /// The picture or the video was made or changed by it.
    AiModified,
    /// A person who is shown is made by it.
    SyntheticPerformer,
}

impl AiDisclosure {
    /// All of them, in Pinterest's order.
    pub const ALL: [Self; 2] = [Self::AiModified, Self::SyntheticPerformer];

    /// Pinterest's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AiModified => "AI_MODIFIED",
            Self::SyntheticPerformer => "SYNTHETIC_PERFORMER",
        }
    }
}

impl AiDisclosures {
    /// Checks the names. No name is no disclosure.
    pub fn new(names: &[String]) -> Result<Option<Self>, Invalid> {
        if names.len() > AiDisclosure::ALL.len() {
            let detail = "names the same disclosure more than once";
            let fix = "Name each disclosure once.";
            return Err(Invalid::new("ai_disclosures.values", "invalid_ai_disclosure", detail, fix));
        }
        let mut values = BTreeSet::new();
        for name in names {
            let known = AiDisclosure::ALL.into_iter().find(|known| known.name() == name);
            values.insert(known.ok_or_else(|| {
                let fix = format!("Use {}.", AiDisclosure::ALL.map(AiDisclosure::name).join(" or "));
                let detail = "holds a word that is none of Pinterest's disclosures";
                Invalid::new("ai_disclosures.values", "invalid_ai_disclosure", detail, fix)
            })?);
        }
        Ok((!values.is_empty()).then_some(Self { values }))
    }
}

/// How to treat a Pin whose file is marked as made by a trained model, in whole or in part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DisclosurePolicy {
    /// The disclosure is suggested.
    #[default]
    Suggest,
    /// The disclosure is added.
    Set,
    /// Files are not checked.
    Off,
}

impl FromStr for DisclosurePolicy {
    type Err = UnknownPolicy;

    fn from_str(text: &str) -> Result<Self, UnknownPolicy> {
        match text {
            "suggest" => Ok(Self::Suggest),
            "set" => Ok(Self::Set),
            "off" => Ok(Self::Off),
            _ => Err(UnknownPolicy),
        }
    }
}

/// The text is not the name of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither suggest, set nor off")]
pub struct UnknownPolicy;

impl AiDisclosures {
    /// Whether `disclosure` is one of them.
    #[must_use]
    pub fn has(&self, disclosure: AiDisclosure) -> bool {
        self.values.contains(&disclosure)
    }

    /// These, and `disclosure`.
    #[must_use]
    pub fn with(mut self, disclosure: AiDisclosure) -> Self {
        self.values.insert(disclosure);
        self
    }
}

impl From<AiDisclosure> for AiDisclosures {
    fn from(disclosure: AiDisclosure) -> Self {
        Self { values: BTreeSet::from([disclosure]) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn disclosures_have_pinterests_names_and_its_order() {
        let names = ["SYNTHETIC_PERFORMER", "AI_MODIFIED"].map(str::to_owned);

        let disclosures = AiDisclosures::new(&names).unwrap().unwrap();

        assert_eq!(json!(disclosures), json!({ "values": ["AI_MODIFIED", "SYNTHETIC_PERFORMER"] }));
        assert_eq!(AiDisclosures::new(&[]), Ok(None));
        assert!(AiDisclosures::new(&[&names[..], &names[..1]].concat()).is_err(), "one is named twice");
        for all in AiDisclosure::ALL {
            assert_eq!(json!(all), all.name());
        }
        for unknown in ["NONE", "ai_modified", ""] {
            let refused = AiDisclosures::new(&[unknown.to_owned()]).unwrap_err();
            assert_eq!(refused.code, "invalid_ai_disclosure", "{unknown}");
        }
    }
}
