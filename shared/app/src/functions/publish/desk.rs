//! What the rows of a file stand on: a channel, and the boards that they name. All of it is asked for once.

use std::collections::{BTreeMap, BTreeSet};

use domain::{BoardId, Channel, ChannelId, Invalid, SectionId, TenantId};
use futures_util::{StreamExt as _, stream};
use pinterest::{Board, Section};
use tokio::time::{Instant, timeout_at};

use super::{
    Publish,
    bulk::{Said, time_is_up, told},
};
use crate::{error::Result, functions::sending::Sender};

/// How many boards' sections are asked for at once.
const AT_ONCE: usize = 8;

/// A channel as far as rows need it.
pub(super) struct Desk {
    pub(super) channel: Channel,
    /// Asked for only if a row names one.
    boards: Said<Vec<Board>>,
    /// Of those boards of which rows name sections.
    sections: BTreeMap<BoardId, Said<Vec<Section>>>,
}

impl Publish {
    /// `names`: the boards, as rows call them. What Pinterest has not said by `until` is left to the next call.
    pub(super) async fn desk(
        &self,
        tenant: &TenantId,
        id: &ChannelId,
        names: &BTreeSet<String>,
        until: Instant,
    ) -> Result<Desk> {
        let Sender { main, tokens, clock, pinterest, .. } = &self.sender;
        let briefing = main.briefing(tokens, tenant, id, None, clock.now()).await?;
        let (channel, ground) = self.open(briefing).await?;
        let mut desk = Desk { channel, boards: Ok(Vec::new()), sections: BTreeMap::new() };
        if names.is_empty() {
            return Ok(desk);
        }
        let access = match ground.access() {
            Ok(access) => access,
            Err(error) => return Ok(Desk { boards: Err(told(&error)), ..desk }),
        };
        let environment = desk.channel.environment;
        let boards = async { self.sender.asked(pinterest.boards(environment, access).await, &ground).await };
        desk.boards = in_time(until, boards).await;
        let boards = desk.boards.as_deref().unwrap_or_default();
        let split: BTreeSet<_> =
            names.iter().filter_map(|name| Some(split(boards, name)?.0.clone())).collect();
        let (sender, ground) = (&self.sender, &ground);
        let sections = stream::iter(split).map(|board| async move {
            let asked =
                async { sender.asked(pinterest.sections(environment, access, &board).await, ground).await };
            let sections = in_time(until, asked).await;
            (board, sections)
        });
        desk.sections = sections.buffered(AT_ONCE).collect().await;
        Ok(desk)
    }
}

impl Desk {
    /// The board of a name, and the section whose name follows a slash.
    pub(super) fn board(&self, name: &str) -> Said<(BoardId, Option<SectionId>)> {
        let unknown = || {
            let fix = "Write it as Pinterest shows it, with a section after a slash: `Recipes/Salads`.";
            let detail = "is no board of the account";
            told(&Invalid::new("pinterest board", "board_id_invalid", detail, fix).into())
        };
        let boards = self.boards.as_ref().map_err(Clone::clone)?;
        if let Some(board) = of_name(boards, name) {
            return Ok((board.clone(), None));
        }
        let (board, section) = split(boards, name).ok_or_else(unknown)?;
        let sections = self.sections.get(board).ok_or_else(unknown)?.as_ref().map_err(Clone::clone)?;
        let section = sections.iter().find(|known| known.name == section).ok_or_else(unknown)?;
        Ok((board.clone(), Some(section.id.clone())))
    }
}

fn of_name<'a>(boards: &'a [Board], name: &str) -> Option<&'a BoardId> {
    boards.iter().find(|board| board.name == name).map(|board| &board.id)
}

/// The board before the slash, and what is after it: unless all of it is a board's name.
fn split<'a>(boards: &'a [Board], name: &'a str) -> Option<(&'a BoardId, &'a str)> {
    if of_name(boards, name).is_some() {
        return None;
    }
    let (board, section) = name.split_once('/')?;
    Some((of_name(boards, board.trim())?, section.trim()))
}

async fn in_time<T>(until: Instant, said: impl Future<Output = Result<T>>) -> Said<T> {
    timeout_at(until, said)
        .await
        .map_or_else(|_| Err(time_is_up()), |said| said.map_err(|error| told(&error)))
}

#[cfg(test)]
mod tests {
    use tokio::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_not_said_in_time_is_left_to_the_next_call() {
        let until = Instant::now() + Duration::from_secs(12);
        let said = in_time(until, std::future::pending::<Result<()>>()).await;
        assert_eq!(
            said.map_err(|problem| (problem.passes(), problem.code)),
            Err((true, "not_done".to_owned()))
        );
        assert_eq!(Instant::now(), until);
        assert_eq!(in_time(until, async { Ok(1) }).await.ok(), Some(1), "what needs no time has it");
    }
}
