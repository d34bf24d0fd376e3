//! A request to an operation.

use domain::Invalid;
use http::HeaderMap;
use jiff::Timestamp;
use lambda_http::{Body, aws_lambda_events::query_map::QueryMap};

use crate::{Caller, RequestError, query::Parameter};

/// The largest body that the platform carries (a Lambda request is 6 MB, with its envelope): for files and images.
pub const MAX_BODY_BYTES: usize = 6 * 1024 * 1024;
/// The largest body of all other requests.
pub const MAX_JSON_BYTES: usize = 64 * 1024;

/// A request that has found its operation, from a caller who may use it.
#[derive(Debug)]
pub struct ApiRequest {
    /// The path.
    pub path: String,
    /// The id in the path.
    pub id: Option<String>,
    /// The public address of the API, without a slash at its end.
    pub base_url: String,
    pub(crate) caller: Option<Caller>,
    pub(crate) query: QueryMap,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

impl ApiRequest {
    /// The caller. Open operations have none.
    pub fn caller(&self) -> Result<&Caller, RequestError> {
        self.caller.as_ref().ok_or(RequestError::Unauthenticated)
    }

    /// The id in the path, of the kind that is wanted here. Anything else is not found.
    pub fn id<T: TryFrom<String>>(&self, what: &'static str) -> Result<T, RequestError> {
        let id = self.id.clone().unwrap_or_default();
        T::try_from(id).map_err(|_| RequestError::NotFound(what))
    }

    /// A parameter of the query. An empty one counts as absent.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.first(name).filter(|value| !value.is_empty())
    }

    /// Whether a flag of the query is set.
    pub fn flag(&self, parameter: &Parameter) -> Result<bool, Invalid> {
        self.query(parameter.name).map_or(Ok(false), |text| parameter.flag(text))
    }

    /// A time of the query.
    pub fn instant(&self, parameter: &Parameter) -> Result<Option<Timestamp>, Invalid> {
        self.query(parameter.name).map(|text| parameter.instant(text)).transpose()
    }

    /// A number of the query, or its default.
    pub fn number(&self, parameter: &Parameter) -> Result<u16, Invalid> {
        let text = self.query(parameter.name);
        text.map_or(Ok(parameter.default_number()), |text| parameter.number(text))
    }

    /// All values of a list in the query, which may be given in one parameter or in several.
    pub fn words(&self, parameter: &Parameter) -> Result<Vec<&'static str>, Invalid> {
        let mut words = Vec::new();
        for text in self.query.all(parameter.name).unwrap_or_default() {
            if !text.is_empty() {
                words.extend(parameter.words(text)?);
            }
        }
        Ok(words)
    }

    /// A header as text. `Some(Err)`: it holds something other than visible ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<Result<&str, ()>> {
        self.headers.get(name).map(|value| value.to_str().map_err(|_| ()))
    }

    /// The bytes of the body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.body.as_ref()
    }
}
