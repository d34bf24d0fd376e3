//! Accounts, boards, Pins and uploads.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::tokens::Digest;
use crate::http::Id;

/// A user of Pinterest, the same on both hosts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) id: Id,
    pub(crate) username: String,
    pub(crate) business_name: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Board {
    pub(crate) id: Id,
    pub(crate) account: Id,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) privacy: Privacy,
    pub(crate) is_ads_only: bool,
    pub(crate) sections: Vec<Section>,
    /// The others who see it, if it is a group board.
    #[serde(default)]
    pub(crate) members: Vec<Member>,
    pub(crate) created_at: Timestamp,
}

/// An account that was invited to a group board.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) account: Id,
    pub(crate) may_pin: bool,
}

impl Board {
    /// Whether the board is the account's, or one to which it was invited.
    pub(crate) fn is_seen_by(&self, account: Id) -> bool {
        self.account == account || self.members.iter().any(|member| member.account == account)
    }

    /// Whether the account may put Pins on it.
    pub(crate) fn takes_pins_of(&self, account: Id) -> bool {
        self.account == account
            || self.members.iter().any(|member| member.account == account && member.may_pin)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Privacy {
    #[default]
    Public,
    Protected,
    Secret,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Section {
    pub(crate) id: Id,
    pub(crate) name: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pin {
    pub(crate) id: Id,
    pub(crate) account: Id,
    pub(crate) board: Id,
    pub(crate) section: Option<Id>,
    pub(crate) parent: Option<Id>,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) alt_text: Option<String>,
    pub(crate) link: Option<String>,
    pub(crate) dominant_color: Option<String>,
    #[serde(default)]
    pub(crate) ai_disclosures: Option<AiDisclosures>,
    pub(crate) media: Media,
    pub(crate) created_at: Timestamp,
}

/// What the creator discloses about the use of artificial intelligence in a Pin.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AiDisclosures {
    values: Vec<AiDisclosure>,
}

impl AiDisclosures {
    /// The names of the values.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let name = |value: &AiDisclosure| match value {
            AiDisclosure::AiModified => "AI_MODIFIED",
            AiDisclosure::SyntheticPerformer => "SYNTHETIC_PERFORMER",
        };
        self.values.iter().map(name).collect()
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum AiDisclosure {
    AiModified,
    SyntheticPerformer,
}

/// What a Pin shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Media {
    Image(Picture),
    Carousel(Vec<Slide>),
    Video { media_id: Id, cover: Option<Picture> },
}

impl Media {
    /// The contract's `creative_type`.
    pub(crate) fn creative_type(&self) -> &'static str {
        match self {
            Self::Image(_) => "REGULAR",
            Self::Carousel(_) => "CAROUSEL",
            Self::Video { .. } => "VIDEO",
        }
    }

    /// The pictures, in the order in which they are shown.
    pub(crate) fn pictures(&self) -> Vec<&Picture> {
        match self {
            Self::Image(picture) => vec![picture],
            Self::Carousel(slides) => slides.iter().map(|slide| &slide.picture).collect(),
            Self::Video { cover, .. } => cover.iter().collect(),
        }
    }
}

/// One image of a carousel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Slide {
    pub(crate) picture: Picture,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) link: Option<String>,
}

/// An image: its address, or its data.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Picture {
    Address(String),
    Data { content_type: String, base64: String },
}

/// A registered video upload.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Upload {
    pub(crate) id: Id,
    pub(crate) account: Id,
    /// A digest of the parameters that the form must repeat. They are credentials.
    pub(crate) parameters: Digest,
    pub(crate) received: Option<ReceivedFile>,
    /// When the form was given out. A file of an older version does not say.
    #[serde(default)]
    pub(crate) registered_at: Timestamp,
}

/// The file that an [`Upload`] has received.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct ReceivedFile {
    pub(crate) at: Timestamp,
    pub(crate) is_video: bool,
}
