//! The invariants of tokens.

use domain::{Connection, ReconnectCause};
use futures::FutureExt;
use jiff::SignedDuration;
use serde::Deserialize as _;
use serde_json::Value;
use store::TokenRow;

use super::{Invariants, IssuedPair, account_of};
use crate::{aws::Write, env::SimEnv, lambda::Invocation, pinterest::PinterestRequest};

/// A refresh call that is younger than this may still end in a save. Before that the channel is not given up.
const MAX_REFRESH_TIME: SignedDuration = SignedDuration::from_secs(150);
/// The longest time between two tries, once a fault is over.
const RETRY_HOURS: i64 = 26;

fn row(value: &Value) -> TokenRow {
    TokenRow::deserialize(value).unwrap()
}

impl Invariants {
    pub(super) fn token_written(&mut self, env: &SimEnv, writer: u64, write: &Write) {
        let Some(after) = write.after.as_deref().map(row) else { return };
        let before = write.before.as_deref().map(row);
        let channel = after.state.channel_id.to_string();
        env.note(|| {
            let held = held(env, &after).join(" ");
            format!("#{writer} writes tokens of {channel}: {held} {:?}", after.state)
        });
        if let Some(lease) = &after.state.lease {
            self.lease_holders.entry(lease.id.clone()).or_insert(writer);
        }
        let Some(before) = before else { return };
        self.check_living_token(env, &channel, &before, &after);
        self.check_lease(env, writer, &before, &after);
        self.check_due_time(env, &before, &after);
        let lost = |row: &TokenRow| row.state.connection != Connection::Connected;
        match (lost(&before), lost(&after)) {
            (false, true) => self.check_disconnection(env, &channel, &after),
            (true, false) => {
                self.disconnected_until.insert(channel.clone(), env.now());
                self.channel_reconnected(&channel);
            }
            _ => {}
        }
        if after.state.version > before.state.version {
            let skew = SignedDuration::from_secs(env.scenario.clock_skew_secs);
            let in_time = lost(&before) || env.now() <= before.state.access_expires_at + skew;
            let had_fault = || self.had_fault(env, &after.state.tenant, &channel, RETRY_HOURS);
            let excused = in_time || had_fault();
            self.check(excused, "no access token dies of age", || format!("{channel}: {:?}", before.state));
            self.stats.refreshes += 1;
            let held = held(env, &after);
            self.issued.retain(|issued| !held.contains(&issued.refresh));
        }
    }

    fn check_living_token(&mut self, env: &SimEnv, channel: &str, before: &TokenRow, after: &TokenRow) {
        let (had, has) = (living(env, before), living(env, after));
        self.check(had.is_empty() || !has.is_empty(), "a living token is never written over", || {
            format!("{channel}: {had:?} lives, and {:?} is left", held(env, after))
        });
    }

    fn check_lease(&mut self, env: &SimEnv, writer: u64, before: &TokenRow, after: &TokenRow) {
        let Some(lease) = &before.state.lease else { return };
        let kept = after.state.lease.as_ref().is_some_and(|now| now.id == lease.id);
        let own = self.lease_holders.get(&lease.id) == Some(&writer);
        // For a process whose clock is ahead the lease may be over.
        let skew = SignedDuration::from_secs(2 * env.scenario.clock_skew_secs);
        let over = env.now() + skew >= lease.until;
        let renewed = after.state.version > before.state.version;
        self.check(kept || own || over || renewed, "a lease is its holder's", || {
            format!("{}: #{writer} ends {lease:?}", after.state.channel_id)
        });
    }

    /// Only an invalid access token is a reason to refresh earlier than planned.
    fn check_due_time(&mut self, env: &SimEnv, before: &TokenRow, after: &TokenRow) {
        let now = env.now();
        let same = before.state.version == after.state.version && before.state.lease == after.state.lease;
        let sooner = after.state.due_at < before.state.due_at && after.state.due_at.is_some();
        let skew = SignedDuration::from_secs(env.scenario.clock_skew_secs);
        let expired = now + skew >= after.state.access_expires_at;
        let dead = self
            .token_refused_at
            .is_some_and(|at| now.duration_since(at) < SignedDuration::from_hours(24 * 8));
        self.check(!(same && sooner) || expired || dead, "tokens are renewed in their time", || {
            format!("{}: due at {:?}", after.state.channel_id, after.state.due_at)
        });
    }

    /// Checks that an invocation that was not killed has saved the pair that it received.
    pub(crate) fn invocation_ended(&mut self, env: &SimEnv, invocation: u64) {
        let ended = |issued: &&IssuedPair| issued.invocation == invocation && issued.received;
        let kept: Vec<_> = env.tables.rows("TOKEN").iter().flat_map(|value| held(env, &row(value))).collect();
        let lost = self.issued.iter().filter(ended).map(|issued| issued.refresh.clone());
        let lost = lost.filter(|token| lives(env, token) && !kept.contains(token)).collect::<Vec<_>>();
        self.check(lost.is_empty(), "a new pair that was received is saved", || {
            format!("#{invocation} lost {lost:?}")
        });
        self.issued.retain(|issued| issued.invocation != invocation);
    }

    fn check_disconnection(&mut self, env: &SimEnv, channel: &str, after: &TokenRow) {
        self.stats.disconnects += 1;
        let now = env.now();
        let Connection::ReconnectRequired(cause) = after.state.connection else { return };
        let living = living(env, after);
        // Two clocks may be wrong, but the lease is over all the same.
        let skew = SignedDuration::from_secs(2 * env.scenario.clock_skew_secs);
        let under_way = (MAX_REFRESH_TIME - skew).max(SignedDuration::from_secs(60));
        let account = account_of(&after.state.tenant);
        let pending: Vec<_> = self
            .issued
            .iter()
            .filter(|issued| {
                issued.account == Some(account) && now.duration_since(issued.requested_at) < under_way
            })
            .map(|issued| issued.refresh.clone())
            .filter(|token| lives(env, token))
            .collect();
        let rightly = match cause {
            ReconnectCause::RefreshTokenRejected | ReconnectCause::RefreshTokenExpired => {
                living.is_empty() && pending.is_empty()
            }
            // The App Secret may be wrong. The text for people says so, and the refresh is tried every day.
            ReconnectCause::TokenRefused => {
                living.is_empty() && pending.is_empty() || env.secret_was_wrong(now)
            }
        };
        self.check(rightly, "a channel is given up only if its token is dead", || {
            format!("{channel}: {cause:?}, but {living:?} in the row and {pending:?} in unfinished calls are valid")
        });
        let neglected = cause == ReconnectCause::RefreshTokenExpired
            && !self.had_fault(env, &after.state.tenant, channel, RETRY_HOURS);
        self.check(!neglected, "no token dies of age", || format!("{channel}: {:?}", after.state));
    }

    pub(super) fn refresh_sent(&mut self, env: &SimEnv, invocation: u64, request: &PinterestRequest) {
        let issued = IssuedPair {
            invocation,
            account: request.account(),
            requested_at: env.now(),
            answered_at: None,
            refresh: String::new(),
            received: false,
        };
        self.issued.push(issued);
    }

    /// Notes that the token endpoint has issued a pair for the last call of `invocation` for `account`.
    pub(crate) fn pair_issued(&mut self, invocation: u64, account: Option<usize>, refresh: String) {
        let open = |issued: &&mut IssuedPair| {
            (issued.invocation, issued.account) == (invocation, account) && issued.refresh.is_empty()
        };
        if let Some(issued) = self.issued.iter_mut().rev().find(open) {
            issued.refresh = refresh;
        }
    }

    /// Notes that a pair has arrived at `invocation`, which must save it at once.
    pub(crate) fn pair_received(&mut self, env: &SimEnv, invocation: &Invocation, refresh: &str) {
        if let Some(issued) = self.issued.iter_mut().find(|issued| issued.refresh == refresh) {
            issued.invocation = invocation.id();
            issued.answered_at = Some(env.now());
            issued.received = true;
        }
    }

    /// Checks that a process saves its new pairs at once.
    pub(crate) fn saving_pairs(&mut self, env: &SimEnv, invocation: &Invocation, frozen: SignedDuration) {
        let now = env.now();
        let waited = self.issued.iter_mut().filter(|issued| issued.invocation == invocation.id());
        let waited =
            waited.filter_map(|issued| issued.answered_at.take()).map(|at| now.duration_since(at)).max();
        // The clock counts milliseconds, and there may be a few freezes.
        let max_wait = frozen + SignedDuration::from_millis(5);
        self.check(waited.is_none_or(|waited| waited <= max_wait), "nothing comes before the save", || {
            format!("#{} waited {waited:?} before it saved a new pair", invocation.id())
        });
    }
}

/// The refresh tokens in a row.
fn held(env: &SimEnv, row: &TokenRow) -> Vec<String> {
    let channel = row.state.channel_id.as_str();
    let sealed = [Some(&row.pair), row.spare.as_ref(), row.previous.as_ref()].into_iter().flatten();
    let share = env.refresh_key_share();
    let opened =
        sealed.map(|pair| env.vault().open_refresh(pair, channel, &share).now_or_never().unwrap().unwrap());
    opened.map(|refresh| refresh.expose().to_owned()).collect()
}

fn lives(env: &SimEnv, token: &str) -> bool {
    env.model.lock().unwrap().lives(token, env.now())
}

fn living(env: &SimEnv, row: &TokenRow) -> Vec<String> {
    held(env, row).into_iter().filter(|token| lives(env, token)).collect()
}
