//! A request, as the operations see it.

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::{environment::Environment, id::Id, parameters::Parameters, refusal::Refusal};
use crate::random::Random;

/// The parts of a request that operations use.
pub(crate) struct Request<'a> {
    pub(crate) environment: Environment,
    pub(crate) authorization: Option<&'a str>,
    pub(crate) content_type: Option<&'a str>,
    pub(crate) query: Parameters,
    pub(crate) body: &'a [u8],
    /// Why an image of a new Pin cannot be used, if they were fetched.
    pub(crate) fetched: Result<(), Refusal>,
    pub(crate) now: Timestamp,
    pub(crate) random: &'a Random,
    /// The address of this server, for addresses in answers.
    pub(crate) origin: &'a str,
    /// The id in the path, as it was sent.
    pub(crate) path_id: &'a str,
}

impl Request<'_> {
    /// The id in the path.
    pub(crate) fn id(&self) -> Result<Id, Refusal> {
        let id = self.path_id;
        Id::parse(id).ok_or_else(|| Refusal::invalid(format!("'{id}' does not match '^\\d+$'")))
    }

    /// The body, as the contract describes it.
    pub(crate) fn parse_json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        serde_json::from_slice(self.body)
            .map_err(|error| Refusal::invalid(format!("Invalid request: {error}")))
    }

    /// The access token.
    pub(crate) fn bearer_token(&self) -> Result<&str, Refusal> {
        self.authorization.and_then(|value| value.strip_prefix("Bearer ")).ok_or(Refusal::NotAuthenticated)
    }
}
