//! A clock that runs ahead of the machine's clock and can be moved forward.

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

/// The local time, which every part of the stack uses, also the simulated Pinterest.
#[derive(Clone, Debug)]
pub(crate) struct LocalClock {
    /// The lead over the machine's clock.
    lead_ms: Arc<AtomicI64>,
    file: Option<Arc<PathBuf>>,
}

impl LocalClock {
    /// Continues with the lead that `file` holds.
    pub(crate) fn open(file: Option<PathBuf>) -> io::Result<Self> {
        let saved = match &file {
            Some(file) => folder::read_file(file)?,
            None => None,
        };
        let lead_ms = saved.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        Ok(Self { lead_ms: Arc::new(AtomicI64::new(lead_ms)), file: file.map(Arc::new) })
    }

    pub(crate) fn now(&self) -> Timestamp {
        let machine = Timestamp::now().as_millisecond();
        Timestamp::from_millisecond(machine + self.lead_ms.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
    }

    /// Moves the clock forward to `at`, unless it is later already. The new lead is saved before anything happens at
    /// that time.
    pub(crate) fn move_to(&self, at: Timestamp) -> io::Result<()> {
        let milliseconds = at.duration_since(self.now()).as_millis().clamp(0, i64::MAX.into());
        let lead_ms = self.lead_ms.load(Ordering::SeqCst) + i64::try_from(milliseconds).unwrap_or(i64::MAX);
        if let Some(file) = &self.file {
            folder::replace_file(file, &lead_ms.to_string())?;
        }
        self.lead_ms.store(lead_ms, Ordering::SeqCst);
        Ok(())
    }

    /// A function that returns the local time.
    pub(crate) fn reader(&self) -> impl Fn() -> Timestamp + Send + Sync + 'static {
        let clock = self.clone();
        move || clock.now()
    }
}
