//! Connected channels in great number: the rows that the store's own claim writes, brought in by the thousand.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use adapters::{Binding, vault::Sealer};
use domain::{
    AccessToken, Account, BlockedLinks, Channel, ChannelId, ChannelRecord, Connection, DefaultBoard,
    Environment, PinterestUserId, RefreshToken, Scopes, TenantId, TokenPair, UserId,
    refresh::{Lifetimes, TokenRecord, TokenState, due_at},
};
use dynoxide::{ImportOptions, actions::transact_write_items::TransactWriteItemsRequest, types::Item};
use jiff::{SignedDuration, Timestamp};
use store::{MainTable, PendingConnection, TokenRow, TokensTable};

use crate::{env::ScaleEnv, pinterest::token, units};

/// So many channels are brought in at once.
const BATCH: usize = 2000;
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Rows that were to be written, and how large all were that are.
#[derive(Default)]
pub(crate) struct Gathered {
    rows: HashMap<String, Vec<Item>>,
    bytes: u64,
}

/// What was connected.
pub(crate) struct Seeded {
    /// When each channel's tokens are due.
    pub(crate) due: Vec<Timestamp>,
    /// The channels, if they were asked for.
    pub(crate) channels: Vec<Channel>,
    /// What the rows of one channel weigh, without those of its index entries.
    pub(crate) bytes_each: u64,
}

impl ScaleEnv {
    /// Keeps what a claim writes, if channels are being connected. A ticket's marker is left out: it is gone in a
    /// quarter of an hour.
    pub(crate) fn gather(&self, body: &[u8]) -> bool {
        let mut gathered = self.gathered.lock().unwrap();
        let Some(gathered) = gathered.as_mut() else { return false };
        let request: TransactWriteItemsRequest = serde_json::from_slice(body).unwrap();
        let puts = request.transact_items.into_iter().map(|item| item.put.unwrap());
        for put in puts
            .filter(|put| !serde_json::json!(put.item["pk"])["S"].as_str().unwrap().starts_with("TICKET#"))
        {
            gathered.bytes += units::size(&put.item) as u64;
            gathered.rows.entry(put.table_name).or_default().push(put.item);
        }
        true
    }

    fn bring_in(&self) {
        let rows = std::mem::take(&mut self.gathered.lock().unwrap().as_mut().unwrap().rows);
        for (table, items) in rows {
            self.database.import_items(&table, items, ImportOptions::default()).unwrap();
        }
    }
}

/// Connects `count` channels within one hour, each as it is after its first refresh: with the pair before the newest.
/// `life`: of their access tokens.
pub(crate) async fn connect(env: &Arc<ScaleEnv>, count: usize, life: SignedDuration, keep: bool) -> Seeded {
    let setup = env.setup();
    let (main, tokens) = (setup.main_table().unwrap(), setup.tokens_table().unwrap());
    let share = tokens.refresh_key_share().await.unwrap();
    let sealer = setup.vault().unwrap().sealer().await.unwrap().with_share(share);
    *env.gathered.lock().unwrap() = Some(Gathered::default());
    let mut seeded = Seeded { due: Vec::with_capacity(count), channels: Vec::new(), bytes_each: 0 };
    for number in 0..count {
        let within = SignedDuration::from_hours(1).mul_f64(fraction(number, count));
        let one = One { number, at: env.epoch() + within, life };
        let (channel, row) = one.rows(env, &sealer);
        one.claim(&main, &tokens, &channel, &row).await;
        seeded.due.push(row.state.due_at.unwrap());
        if keep {
            seeded.channels.push(channel);
        }
        if number % BATCH == BATCH - 1 {
            env.bring_in();
        }
    }
    env.bring_in();
    let gathered = env.gathered.lock().unwrap().take().unwrap();
    seeded.bytes_each = gathered.bytes / count as u64;
    let mut pinterest = env.pinterest.lock().unwrap();
    pinterest.refreshed = vec![None; count];
    seeded
}

#[expect(clippy::cast_precision_loss, reason = "a million at most")]
fn fraction(number: usize, of: usize) -> f64 {
    number as f64 / of as f64
}

struct One {
    number: usize,
    at: Timestamp,
    life: SignedDuration,
}

impl One {
    fn rows(&self, env: &ScaleEnv, sealer: &Sealer) -> (Channel, TokenRow) {
        let mut entropy = [0; 10];
        entropy[2..].copy_from_slice(&env.below(u64::MAX).to_be_bytes());
        let id = ChannelId::new(self.at, entropy);
        let lifetimes = Lifetimes {
            access_expires_at: self.at + self.life,
            refresh_expires_at: Some(self.at + self.life * 2),
        };
        let number = if self.number < env.big_tenant.load(Relaxed) { 0 } else { self.number };
        let tenant = TenantId(format!("tenant-{number:08}"));
        let state = TokenState::restore(TokenRecord {
            channel_id: id.clone(),
            tenant: tenant.clone(),
            environment: Environment::Production,
            connection: Connection::Connected,
            access_expires_at: lifetimes.access_expires_at,
            refresh_expires_at: lifetimes.refresh_expires_at,
            version: 2,
            lease: None,
            believe_refusal_at: None,
            failures: 0,
            due_at: Some(due_at(&id, self.at, lifetimes)),
            warned_days: None,
        });
        let pair = |generation: u32| {
            let pair = TokenPair {
                access: AccessToken::new(token("pina", self.number, generation)),
                refresh: RefreshToken::new(token("pinr", self.number, generation)),
            };
            sealer.seal(&pair, Binding { row: id.as_str(), version: u64::from(generation) }).unwrap()
        };
        let used = RefreshToken::new(token("pinr", self.number, 1));
        let used = sealer.seal_refresh(&used, Binding { row: id.as_str(), version: 1 }).unwrap();
        let row = TokenRow { state, pair: pair(2), previous: Some(used), spare: None };
        let channel = Channel::restore(ChannelRecord {
            id: id.clone(),
            tenant,
            environment: Environment::Production,
            account: self.account(),
            scopes: Scopes::required(),
            default_board: Some(DefaultBoard {
                pinterest_board_id: "1001".to_owned().try_into().unwrap(),
                name: "Recipes".to_owned(),
            }),
            connection: Connection::Connected,
            connected_at: self.at,
            pause: None,
            blocked_links: BlockedLinks::default(),
            expiring_in_days: None,
            version: 1,
        });
        (channel, row)
    }

    fn account(&self) -> Account {
        let user = PinterestUserId::try_from(format!("{:018}", self.number)).unwrap();
        Account { pinterest_user_id: user, username: format!("account{}", self.number) }
    }

    async fn claim(&self, main: &MainTable, tokens: &TokensTable, channel: &Channel, row: &TokenRow) {
        let pending = PendingConnection {
            tenant: channel.tenant.clone(),
            user: UserId(format!("user-{}", self.number)),
            environment: channel.environment,
            account: channel.account.clone(),
            scopes: channel.scopes.clone(),
            issued_at: self.at,
            access_expires_at: row.state.access_expires_at,
            refresh_expires_at: row.state.refresh_expires_at,
            pair: None,
            claimed: None,
            expires_at: (self.at + DAY).as_second(),
        };
        assert!(main.claim_connection(tokens, "hash", &pending, channel, row, None).await.unwrap());
    }
}
