//! What must hold of tokens.

use app::store::TokenRow;
use domain::{Cause, Connection};
use futures::FutureExt;
use jiff::SignedDuration;
use serde::Deserialize as _;
use serde_json::Value;

use super::{Given, Rules, account_of};
use crate::{aws::Write, lambda::Invocation, pinterest::Asked, world::World};

/// A call for a new pair that is younger than this may still become a save: nobody gives the channel up before.
const UNDER_WAY: SignedDuration = SignedDuration::from_secs(150);
/// No wait between two tries is longer, once nothing is in the way.
const HOURS_BETWEEN: i64 = 26;

fn row(value: &Value) -> TokenRow {
    TokenRow::deserialize(value).unwrap()
}

impl Rules {
    pub(super) fn token_written(&mut self, world: &World, writer: u64, write: &Write) {
        let Some(after) = write.after.as_deref().map(row) else { return };
        let before = write.before.as_deref().map(row);
        let channel = after.grant.channel_id.to_string();
        world.note(|| {
            let held = held(world, &after).join(" ");
            format!("#{writer} writes tokens of {channel}: {held} {:?}", after.grant)
        });
        if let Some(lease) = &after.grant.lease {
            self.lease_holders.entry(lease.id.clone()).or_insert(writer);
        }
        let Some(before) = before else { return };
        self.keeps_a_living_token(world, &channel, &before, &after);
        self.leaves_the_lease(world, writer, &before, &after);
        self.is_not_hurried(world, &before, &after);
        let lost = |row: &TokenRow| row.grant.connection != Connection::Connected;
        match (lost(&before), lost(&after)) {
            (false, true) => self.is_given_up_rightly(world, &channel, &after),
            (true, false) => {
                self.away_until.insert(channel.clone(), world.now());
                self.channel_back(&channel);
            }
            _ => {}
        }
        if after.grant.version > before.grant.version {
            let skew = SignedDuration::from_secs(world.plan.skew);
            let in_time = lost(&before) || world.now() <= before.grant.access_expires_at + skew;
            let hampered = || self.was_hampered(world, &after.grant.tenant, &channel, HOURS_BETWEEN);
            let told = in_time || hampered();
            self.must(told, "no access token dies of age", || format!("{channel}: {:?}", before.grant));
            self.tally.renewals += 1;
            let held = held(world, &after);
            self.given.retain(|given| !held.contains(&given.refresh));
        }
    }

    fn keeps_a_living_token(&mut self, world: &World, channel: &str, before: &TokenRow, after: &TokenRow) {
        let (had, has) = (living(world, before), living(world, after));
        self.must(had.is_empty() || !has.is_empty(), "a living token is never written over", || {
            format!("{channel}: {had:?} lives, and {:?} is left", held(world, after))
        });
    }

    fn leaves_the_lease(&mut self, world: &World, writer: u64, before: &TokenRow, after: &TokenRow) {
        let Some(lease) = &before.grant.lease else { return };
        let kept = after.grant.lease.as_ref().is_some_and(|now| now.id == lease.id);
        let own = self.lease_holders.get(&lease.id) == Some(&writer);
        // Somebody whose clock is ahead may think that it is over.
        let skew = SignedDuration::from_secs(2 * world.plan.skew);
        let over = world.now() + skew >= lease.until;
        let renewed = after.grant.version > before.grant.version;
        self.must(kept || own || over || renewed, "a lease is its holder's", || {
            format!("{}: #{writer} ends {lease:?}", after.grant.channel_id)
        });
    }

    /// Only a dead access token is a reason to refresh before the time.
    fn is_not_hurried(&mut self, world: &World, before: &TokenRow, after: &TokenRow) {
        let now = world.now();
        let same = before.grant.version == after.grant.version && before.grant.lease == after.grant.lease;
        let sooner = after.grant.due_at < before.grant.due_at && after.grant.due_at.is_some();
        let skew = SignedDuration::from_secs(world.plan.skew);
        let expired = now + skew >= after.grant.access_expires_at;
        let dead = self.dead_at.is_some_and(|at| now.duration_since(at) < SignedDuration::from_hours(24 * 8));
        self.must(!(same && sooner) || expired || dead, "tokens are renewed in their time", || {
            format!("{}: due at {:?}", after.grant.channel_id, after.grant.due_at)
        });
    }

    /// An invocation has ended by itself: whatever pair it was given is in the table.
    pub(crate) fn ended(&mut self, world: &World, invocation: u64) {
        let ended = |given: &&Given| given.invocation == invocation && given.received;
        let kept: Vec<_> =
            world.tables.rows("TOKEN").iter().flat_map(|value| held(world, &row(value))).collect();
        let lost = self.given.iter().filter(ended).map(|given| given.refresh.clone());
        let lost = lost.filter(|token| lives(world, token) && !kept.contains(token)).collect::<Vec<_>>();
        self.must(lost.is_empty(), "a new pair that has come is kept", || {
            format!("#{invocation} lost {lost:?}")
        });
        self.given.retain(|given| given.invocation != invocation);
    }

    fn is_given_up_rightly(&mut self, world: &World, channel: &str, after: &TokenRow) {
        self.tally.lost += 1;
        let now = world.now();
        let Connection::ReconnectRequired(cause) = after.grant.connection else { return };
        let living = living(world, after);
        // Two clocks are wrong by so much, but the lease is long over all the same.
        let skew = SignedDuration::from_secs(2 * world.plan.skew);
        let under_way = (UNDER_WAY - skew).max(SignedDuration::from_secs(60));
        let account = account_of(&after.grant.tenant);
        let in_hand: Vec<_> = self
            .given
            .iter()
            .filter(|given| given.account == Some(account) && now.duration_since(given.asked_at) < under_way)
            .map(|given| given.refresh.clone())
            .filter(|token| lives(world, token))
            .collect();
        let rightly = match cause {
            Cause::RefreshTokenRejected | Cause::RefreshTokenExpired => {
                living.is_empty() && in_hand.is_empty()
            }
            // The App Secret may be wrong: the text says so, and it is tried daily.
            Cause::TokenRefused => living.is_empty() && in_hand.is_empty() || world.secret_was_wrong(now),
        };
        self.must(rightly, "a channel is given up only if its token is dead", || {
            format!("{channel}: {cause:?}, but {living:?} in the row and {in_hand:?} on the way live")
        });
        let neglected = cause == Cause::RefreshTokenExpired
            && !self.was_hampered(world, &after.grant.tenant, channel, HOURS_BETWEEN);
        self.must(!neglected, "no token dies of age", || format!("{channel}: {:?}", after.grant));
    }

    pub(super) fn renewal_sent(&mut self, world: &World, invocation: u64, asked: &Asked) {
        let given = Given {
            invocation,
            account: asked.account(),
            asked_at: world.now(),
            answered_at: None,
            refresh: String::new(),
            received: false,
        };
        self.given.push(given);
    }

    /// The token endpoint has given a new pair to the call that `invocation` made last for `account`.
    pub(crate) fn gave(&mut self, invocation: u64, account: Option<usize>, refresh: String) {
        let open = |given: &&mut Given| {
            (given.invocation, given.account) == (invocation, account) && given.refresh.is_empty()
        };
        if let Some(given) = self.given.iter_mut().rev().find(open) {
            given.refresh = refresh;
        }
    }

    /// A new pair has reached `invocation`: nothing may come before its save.
    pub(crate) fn received(&mut self, world: &World, invocation: &Invocation, refresh: &str) {
        if let Some(given) = self.given.iter_mut().find(|given| given.refresh == refresh) {
            given.invocation = invocation.id();
            given.answered_at = Some(world.now());
            given.received = true;
        }
    }

    /// A process begins to save pairs that it was given.
    pub(crate) fn saves(&mut self, world: &World, invocation: &Invocation, frozen: SignedDuration) {
        let now = world.now();
        let waited = self.given.iter_mut().filter(|given| given.invocation == invocation.id());
        let waited =
            waited.filter_map(|given| given.answered_at.take()).map(|at| now.duration_since(at)).max();
        // Time's grain is a millisecond, for each of a few freezes.
        let most = frozen + SignedDuration::from_millis(5);
        self.must(waited.is_none_or(|waited| waited <= most), "nothing comes before the save", || {
            format!("#{} waited {waited:?} with a new pair in its hand", invocation.id())
        });
    }
}

/// Refresh tokens in a row.
fn held(world: &World, row: &TokenRow) -> Vec<String> {
    let channel = row.grant.channel_id.as_str();
    let sealed = [Some(&row.pair), row.spare.as_ref(), row.previous.as_ref()].into_iter().flatten();
    let opened = sealed.map(|pair| world.vault().open_pair(pair, channel).now_or_never().unwrap().unwrap());
    opened.map(|pair| pair.refresh.expose().to_owned()).collect()
}

fn lives(world: &World, token: &str) -> bool {
    world.model.lock().unwrap().lives(token, world.now())
}

fn living(world: &World, row: &TokenRow) -> Vec<String> {
    held(world, row).into_iter().filter(|token| lives(world, token)).collect()
}
