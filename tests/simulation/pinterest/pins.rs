//! Pins: created, and listed later and in some order.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::{Model, RemotePin, Reply};
use crate::{
    env::SimEnv,
    scenario::{Order, Outage, Rewriting},
};

impl Model {
    pub(super) fn create(&mut self, env: &SimEnv, account: usize, body: &str, now: Timestamp) -> Reply {
        if env.outage() == Some(Outage::Unapproved) {
            return Reply::error(401, 3, "Your application is not approved.");
        }
        let body: Value = serde_json::from_str(body).unwrap();
        let owner = &self.accounts[account];
        if body["board_id"] != *owner.board || owner.board_gone_at.is_some_and(|at| at <= now) {
            return Reply::error(404, 40, "Board not found.");
        }
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (min, max) = self.scenario.list_lag_secs;
        let lag = env.rng.between(min, max + 1);
        let id = self.add_pin(RemotePin {
            id: String::new(),
            account,
            title: text(&body["title"]),
            link: text(&body["link"]),
            description: text(&body["description"]),
            image: text(&body["media_source"]["url"]),
            at: now,
            list_lag_secs: lag,
        });
        Reply { status: 201, ..Reply::ok(json!({"id": id})) }
    }

    /// A page of a board. The later pages show the list as it was at the first page.
    pub(super) fn list(
        &mut self,
        account: usize,
        path: &str,
        query: &HashMap<String, String>,
        now: Timestamp,
    ) -> Reply {
        let owner = &self.accounts[account];
        if path != format!("boards/{}/pins", owner.board) || owner.board_gone_at.is_some_and(|at| at <= now) {
            return Reply::error(404, 40, "Board not found.");
        }
        let bookmark = query.get("bookmark").and_then(|bookmark| bookmark.split_once('.'));
        let (list, from): (usize, usize) = if let Some((list, from)) = bookmark {
            (list.parse().unwrap(), from.parse().unwrap())
        } else {
            self.lists.insert(self.lists.len(), self.board(account, now));
            (self.lists.len() - 1, 0)
        };
        let all = &self.lists[&list];
        let to = (from + self.scenario.page_size).min(all.len());
        let bookmark = (to < all.len()).then(|| format!("{list}.{to}"));
        let items: Vec<_> = all[from..to].iter().map(|index| self.document(*index)).collect();
        Reply::ok(json!({"items": items, "bookmark": bookmark}))
    }

    fn board(&self, account: usize, now: Timestamp) -> Vec<usize> {
        let seconds = |seconds: u64| SignedDuration::from_secs(i64::try_from(seconds).unwrap());
        let visible = |index: &usize| {
            let pin = &self.pins[*index];
            pin.account == account && pin.at + seconds(pin.list_lag_secs) <= now
        };
        let mut all: Vec<_> = (0..self.pins.len()).filter(visible).collect();
        match self.scenario.order {
            Order::OldestFirst => {}
            Order::NewestFirst => all.reverse(),
            Order::Shuffled => all.sort_by_key(|index| (index * 7919) % 101),
        }
        all
    }

    /// A Pin as the list shows it, which may not be as it was sent.
    fn document(&self, index: usize) -> Value {
        let pin = &self.pins[index];
        let date = |at: Timestamp| {
            json!(at.to_zoned(TimeZone::UTC).datetime().strftime("%Y-%m-%dT%H:%M:%S").to_string())
        };
        let mut shown = json!({
            "id": pin.id, "created_at": date(pin.at), "title": pin.title, "description": pin.description,
            "link": pin.link, "alt_text": null, "media": {"media_type": "image"}, "is_owner": true,
        });
        let first = |text: &str, letters: usize| json!(text.chars().take(letters).collect::<String>());
        match self.scenario.rewriting {
            Rewriting::Nothing => {}
            Rewriting::Escapes => shown["description"] = json!(pin.description.replace('&', "&amp;")),
            Rewriting::PageTitle => shown["title"] = json!("The shop: everything for everybody"),
            Rewriting::TitleSuffix => shown["title"] = json!(format!("{} | The shop", pin.title)),
            Rewriting::Cut => shown["description"] = first(&pin.description, 30),
            Rewriting::LinkWithoutQuery => shown["link"] = json!(pin.link.split('?').next()),
            Rewriting::NoTitle => shown["title"] = Value::Null,
            Rewriting::NoDate => shown["created_at"] = Value::Null,
            Rewriting::OtherZone => shown["created_at"] = date(pin.at - SignedDuration::from_hours(5)),
            Rewriting::LateClock => shown["created_at"] = date(pin.at - SignedDuration::from_mins(9)),
            Rewriting::Everything => {
                shown["title"] = json!("The shop: everything for everybody");
                shown["description"] = first(&pin.description, 30);
                shown["link"] = json!(pin.link.split('?').next());
                shown["created_at"] = Value::Null;
            }
        }
        shown
    }
}
