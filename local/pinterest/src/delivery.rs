//! How an answer reaches the client, or does not.

use std::{future, io};

use axum::{body::Body, http::Response, http::header::CONTENT_LENGTH};
use futures::{StreamExt, stream};

use crate::answer::Answer;

/// What becomes of an answer on its way.
pub(crate) enum Delivery {
    /// All of it arrives.
    Whole(Answer),
    /// The connection is closed after a half of the body.
    Half(Answer),
    /// The connection is closed instead.
    Nothing,
    /// Neither an answer nor an end of the connection.
    Never,
}

/// Marks a response that must not be sent: the server closes the connection instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoAnswer;

impl Delivery {
    /// The status that the client gets to see, if it does.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Whole(answer) | Self::Half(answer) => Some(answer.status.as_u16()),
            Self::Nothing | Self::Never => None,
        }
    }

    /// Adds to the answer, if there is one.
    pub(crate) fn map(self, change: impl FnOnce(Answer) -> Answer) -> Self {
        match self {
            Self::Whole(answer) => Self::Whole(change(answer)),
            Self::Half(answer) => Self::Half(change(answer)),
            Self::Nothing | Self::Never => self,
        }
    }

    /// The response to send, once it is time.
    pub(crate) async fn response(self) -> Response<Body> {
        match self {
            Self::Whole(mut answer) => {
                let body = std::mem::take(&mut answer.body);
                answer.into_response(body.into())
            }
            Self::Half(answer) => half(answer),
            Self::Nothing => {
                let mut response = Response::new(Body::empty());
                response.extensions_mut().insert(NoAnswer);
                response
            }
            Self::Never => future::pending().await,
        }
    }
}

/// Promises the whole length and breaks off in the middle.
fn half(mut answer: Answer) -> Response<Body> {
    let whole = std::mem::take(&mut answer.body);
    let first = whole[..whole.len() / 2].to_vec();
    let broken = stream::once(async {
        // Lets the first half leave before the connection breaks.
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::ConnectionAborted))
    });
    let body = Body::from_stream(stream::iter([Ok(first)]).chain(broken));
    let mut response = answer.into_response(body);
    response.headers_mut().insert(CONTENT_LENGTH, whole.len().into());
    response
}
