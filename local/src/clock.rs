//! A clock that runs like the machine's, some time ahead of it, and can be moved forward.

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use jiff::Timestamp;

use crate::folder;

/// Local time: what every part of the stack goes by, the simulated Pinterest included.
#[derive(Clone, Debug)]
pub(crate) struct LocalClock {
    /// Milliseconds ahead of the machine's clock.
    ahead: Arc<AtomicI64>,
    file: Option<Arc<PathBuf>>,
}

impl LocalClock {
    /// Goes on where the clock in `file` was, however long ago that is.
    pub(crate) fn open(file: Option<PathBuf>) -> io::Result<Self> {
        let kept = match &file {
            Some(file) => folder::read(file)?,
            None => None,
        };
        let ahead = kept.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        Ok(Self { ahead: Arc::new(AtomicI64::new(ahead)), file: file.map(Arc::new) })
    }

    pub(crate) fn now(&self) -> Timestamp {
        let machine = Timestamp::now().as_millisecond();
        Timestamp::from_millisecond(machine + self.ahead.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
    }

    /// Moves the clock to `at`, unless it is later already. Kept before anything is done at that time.
    pub(crate) fn move_to(&self, at: Timestamp) -> io::Result<()> {
        let more = at.duration_since(self.now()).as_millis().clamp(0, i64::MAX.into());
        let ahead = self.ahead.load(Ordering::SeqCst) + i64::try_from(more).unwrap_or(i64::MAX);
        if let Some(file) = &self.file {
            folder::write(file, &ahead.to_string())?;
        }
        self.ahead.store(ahead, Ordering::SeqCst);
        Ok(())
    }

    pub(crate) fn reader(&self) -> impl Fn() -> Timestamp + Send + Sync + 'static {
        let clock = self.clone();
        move || clock.now()
    }
}
