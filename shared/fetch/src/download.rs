//! Reading a file as it comes.

use std::{fmt, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, stream};
use reqwest::Response;
use tokio::time::{Instant, timeout_at};

use crate::{Error, Fault, file_info};

/// After this long without a byte a file is given up.
pub const SILENCE_TIMEOUT: Duration = Duration::from_secs(15);

/// A file whose host has begun to send it.
#[derive(Debug)]
pub struct Download {
    /// Its media type, in lower case and without parameters: `video/mp4`.
    pub content_type: Option<String>,
    /// Its size, if the host says one: then the body has this many bytes, or ends with an error.
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
    /// Takes `answer` up, unless it says itself that it has more than `max_bytes` bytes.
    pub(crate) fn new(answer: Response, max_bytes: u64, deadline: Instant) -> Result<Self, Error> {
        let bytes = answer.content_length();
        if bytes.is_some_and(|bytes| bytes > max_bytes) {
            return Err(Error::TooLarge { max_bytes });
        }
        let content_type = file_info::content_type(answer.headers());
        Ok(Self { content_type, bytes, body: Body { answer, read: 0, max_bytes, deadline } })
    }

    /// The file itself, in pieces as they come. The host is read from no faster than the stream is, so that
    /// what waits in memory stays small however large the file is. The stream ends after its first error;
    /// dropping it hangs up.
    pub fn into_body(self) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
        stream::try_unfold(self.body, Body::next)
    }
}

impl Body {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, Error> {
        let now = Instant::now();
        // A host that always has a next byte ready would never be timed out below.
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
