//! The daily check: what is about to expire.

use domain::refresh::{is_about_to_expire, warning};
use jiff::SignedDuration;
use platform::chain;
use store::Heartbeat;
use tokio::time::Instant;

use super::{MIN_TIME_LEFT, PAGE_ENTRIES, Refresh};
use crate::error::Result;

impl Refresh {
    /// Warns about refresh tokens that are about to expire. Healthy ones never come near, and what fails is tried at least
    /// daily, so that all of them are due within a day.
    pub(super) async fn daily_check(&self, deadline: Instant) -> Result<()> {
        let now = self.clock.now();
        let tomorrow = now + SignedDuration::from_hours(24);
        let index = self.tokens.due_index();
        let mut cursor = index.cursor(&index.partitions(), PAGE_ENTRIES);
        let (mut overdue, mut about_to_expire) = (0, 0);
        let complete = loop {
            let items = index.next(&mut cursor, tomorrow).await?;
            overdue += items.iter().filter(|item| item.since < now - SignedDuration::from_hours(1)).count();
            let channels = items.into_iter().filter_map(|item| item.channel);
            for (channel, row) in self.tokens.tokens(&channels.collect::<Vec<_>>()).await? {
                match row {
                    Ok(row) => {
                        about_to_expire += u32::from(is_about_to_expire(&row.state, now));
                        if let Some(days) = warning(&row.state, now) {
                            self.main.record_expiry_warning(&self.tokens, &row.state, days).await?;
                        }
                    }
                    Err(error) => {
                        tracing::error!(error = %chain(&error), channel.id = %channel, "tokens could not be checked");
                    }
                }
            }
            let complete = !cursor.has_more();
            if complete || deadline.saturating_duration_since(Instant::now()) < MIN_TIME_LEFT {
                break complete;
            }
        };
        if about_to_expire > 0 || !complete {
            // An alarm of the stack counts `about_to_expire`.
            tracing::warn!(
                overdue,
                about_to_expire,
                complete,
                "daily check: refresh tokens are about to expire"
            );
        } else {
            tracing::info!(overdue, "daily check");
        }
        self.main.record_heartbeat(&Heartbeat::DailyCheck, &self.tenant_claim, now).await?;
        Ok(())
    }
}
