//! Ends the review of a Pin: a person says if it is at Pinterest.

use domain::{Invalid, Pin, PinterestPinId};
use schemars::JsonSchema;
use serde::Deserialize;
use store::WriteOutcome;

use super::{Pins, changed_meanwhile};
use crate::error::{Error, Result};

/// What a person has found at Pinterest. One of the two is given.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ResolvePinRequest")]
pub struct ResolvePin {
    /// The Pin is there: its id at Pinterest, one of the candidates or any other.
    #[serde(default)]
    #[schemars(with = "Option<PinterestPinId>")]
    is: Option<String>,
    /// `true`: the Pin is not there; send it again.
    #[serde(default)]
    resend: Option<bool>,
}

enum Resolution {
    Is(PinterestPinId),
    Resend,
}

impl ResolvePin {
    fn check(self) -> Result<Resolution, Invalid> {
        match (self.is, self.resend.unwrap_or_default()) {
            (Some(id), false) => {
                let wrong = |invalid: Invalid| Invalid { field: "is".to_owned(), ..invalid };
                Ok(Resolution::Is(PinterestPinId::try_from(id).map_err(wrong)?))
            }
            (None, true) => Ok(Resolution::Resend),
            _ => Err(Invalid::new(
                "is",
                "not_one_resolution",
                "is missing, or was sent together with `resend`",
                "Send `{\"is\": \"<id at Pinterest>\"}` or `{\"resend\": true}`.",
            )),
        }
    }
}

impl Pins {
    pub(super) async fn resolve(&self, pin: Pin, found: ResolvePin) -> Result<Pin> {
        let now = self.clock.now();
        match found.check()? {
            Resolution::Resend => self.save(pin.resolve_by_resending(now)?).await,
            Resolution::Is(id) => self.save_as(pin.resolve_as(&id, now)?, &id).await,
        }
    }

    /// Saves a published Pin, and binds the Pin at Pinterest to it.
    async fn save_as(&self, pin: Pin, id: &PinterestPinId) -> Result<Pin> {
        // If the channel was disconnected, the environment of the binding is not known any more.
        let Some(channel) = self.main.channel(&pin.tenant, &pin.channel_id).await? else {
            return self.save(pin).await;
        };
        match self.main.save_published(&pin, channel.environment, id).await? {
            WriteOutcome::Done => Ok(pin),
            WriteOutcome::RemotePinTaken => Err(Error::PinterestPinTaken),
            WriteOutcome::VersionConflict => Err(changed_meanwhile()),
        }
    }
}
