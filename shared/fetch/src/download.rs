//! Reads a file as a stream.

use std::{fmt, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, stream};
use reqwest::Response;
use tokio::time::{Instant, timeout_at};

use crate::{Error, Fault, file_info};

/// A download is given up after this time without a byte.
pub const SILENCE_TIMEOUT: Duration = Duration::from_secs(15);

/// A file whose host has started to send it.
#[derive(Debug)]
pub struct Download {
    /// Its media type, in lower case and without parameters: `video/mp4`.
    pub content_type: Option<String>,
    /// Its size, if the host sent it: then the body has this many bytes, or ends with an error.
    pub bytes: Option<u64>,
    body: Body,
}

struct Body {
    answer: Response,
    read: u64,
    max_bytes: u64,
    deadline: Instant,
}

impl Download {
    /// Accepts `answer`, unless its declared size is more than `max_bytes` bytes.
    pub(crate) fn new(answer: Response, max_bytes: u64, deadline: Instant) -> Result<Self, Error> {
        let bytes = answer.content_length();
        if bytes.is_some_and(|bytes| bytes > max_bytes) {
            return Err(Error::TooLarge { max_bytes });
        }
        let content_type = file_info::content_type(answer.headers());
        Ok(Self { content_type, bytes, body: Body { answer, read: 0, max_bytes, deadline } })
    }

    /// The content of the file in chunks. It reads from the host no faster than the caller reads the stream, so that memory
    /// does not grow with the file. The stream ends after its first error; dropping it closes the connection.
    pub fn into_body(self) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
        stream::try_unfold(self.body, Body::next)
    }
}

impl Body {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, Error> {
        let now = Instant::now();
        // The time-out below never ends a host that always has a next byte ready.
        if now >= self.deadline {
            return Err(Error::Cut(Fault::Timeout));
        }
        let silence = now + SILENCE_TIMEOUT;
        let Ok(next) = timeout_at(silence.min(self.deadline), self.answer.chunk()).await else {
            let fault = if silence < self.deadline { Fault::Silent } else { Fault::Timeout };
            return Err(Error::Cut(fault));
        };
        let Some(piece) = next.map_err(|error| Error::Cut(error.into()))? else {
            return Ok(None);
        };
        self.read = self.read.saturating_add(piece.len() as u64);
        if self.read > self.max_bytes {
            return Err(Error::TooLarge { max_bytes: self.max_bytes });
        }
        Ok(Some((piece, self)))
    }
}

impl fmt::Debug for Body {
    /// Without the answer, which knows its address.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { read, max_bytes, .. } = self;
        formatter.debug_struct("Body").field("read", read).field("most", max_bytes).finish_non_exhaustive()
    }
}
