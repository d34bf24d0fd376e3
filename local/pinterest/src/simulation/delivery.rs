//! How an answer reaches the client, or is lost.

use std::{future, io};

use axum::{body::Body, http::Response, http::header::CONTENT_LENGTH};
use futures::{StreamExt, stream};

use crate::http::Answer;

/// What happens to an answer on its way to the client.
pub(crate) enum Delivery {
    /// The client gets all of it.
    Whole(Answer),
    /// The connection is closed after half of the body.
    Half(Answer),
    /// The connection is closed without an answer.
    Nothing,
    /// There is no answer, and the connection stays open.
    Never,
}

/// Marks a response that must not be sent: the server closes the connection instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoAnswer;

impl Delivery {
    /// The status that the client gets, if any.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Whole(answer) | Self::Half(answer) => Some(answer.status.as_u16()),
            Self::Nothing | Self::Never => None,
        }
    }

    /// Changes the answer, if there is one.
    pub(crate) fn map(self, change: impl FnOnce(Answer) -> Answer) -> Self {
        match self {
            Self::Whole(answer) => Self::Whole(change(answer)),
            Self::Half(answer) => Self::Half(change(answer)),
            Self::Nothing | Self::Never => self,
        }
    }

    /// The response to send. For [`Self::Never`], this waits for ever.
    pub(crate) async fn into_response(self) -> Response<Body> {
        match self {
            Self::Whole(mut answer) => {
                let body = std::mem::take(&mut answer.body);
                answer.into_response(body.into())
            }
            Self::Half(answer) => half_response(answer),
            Self::Nothing => {
                let mut response = Response::new(Body::empty());
                response.extensions_mut().insert(NoAnswer);
                response
            }
            Self::Never => future::pending().await,
        }
    }
}

/// A response that announces the whole length and ends in the middle.
fn half_response(mut answer: Answer) -> Response<Body> {
    let full_body = std::mem::take(&mut answer.body);
    let first = full_body[..full_body.len() / 2].to_vec();
    let broken = stream::once(async {
        // Lets the first half leave before the connection breaks.
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::ConnectionAborted))
    });
    let body = Body::from_stream(stream::iter([Ok(first)]).chain(broken));
    let mut response = answer.into_response(body);
    response.headers_mut().insert(CONTENT_LENGTH, full_body.len().into());
    response
}
