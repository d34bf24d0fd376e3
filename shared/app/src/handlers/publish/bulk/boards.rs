//! What the rows of a file depend on: a channel, and the boards that they name. All of it is read once.

use std::collections::{BTreeMap, BTreeSet};

use domain::{BoardId, Channel, ChannelId, Invalid, SectionId, TenantId};
use futures_util::{StreamExt as _, stream};
use pinterest::{Board, Section};
use tokio::time::{Instant, timeout_at};

use super::outcome::{RowResult, deadline_exceeded, row_problem};
use crate::{error::Result, handlers::publish::Publish};

/// How many boards' sections are read in parallel.
const MAX_PARALLEL_SECTIONS: usize = 8;

/// A channel, and the boards and sections that rows name.
pub(super) struct ChannelBoards {
    pub(super) channel: Channel,
    /// Read only if a row names a board.
    boards: RowResult<Vec<Board>>,
    /// The sections of those boards of which rows name one.
    sections: BTreeMap<BoardId, RowResult<Vec<Section>>>,
}

impl Publish {
    /// `names`: the boards, as rows call them. What Pinterest has not answered by `until` is left to the next call.
    pub(super) async fn load_boards(
        &self,
        tenant: &TenantId,
        id: &ChannelId,
        names: &BTreeSet<String>,
        until: Instant,
    ) -> Result<ChannelBoards> {
        let sessions = &self.publisher.sessions;
        let snapshot = sessions.read_snapshot(tenant, id, None).await?;
        let (channel, session) = self.open_session(snapshot).await?;
        let mut loaded = ChannelBoards { channel, boards: Ok(Vec::new()), sections: BTreeMap::new() };
        if names.is_empty() {
            return Ok(loaded);
        }
        let (environment, access) = match session.credentials() {
            Ok((channel, access)) => (channel.environment, access),
            Err(error) => return Ok(ChannelBoards { boards: Err(row_problem(&error.into())), ..loaded }),
        };
        if let Err(reached) = self.limits.use_pinterest_calls(tenant, 1).await {
            return Ok(ChannelBoards { boards: Err(row_problem(&reached)), ..loaded });
        }
        let (pinterest, session) = (&sessions.pinterest, &session);
        let boards = async {
            let boards = pinterest.boards(environment, access).await;
            Ok(sessions.checked(boards, session).await?)
        };
        loaded.boards = in_time(until, boards).await;
        let boards = loaded.boards.as_deref().unwrap_or_default();
        let with_sections: BTreeSet<_> =
            names.iter().filter_map(|name| Some(split(boards, name)?.0.clone())).collect();
        if let Err(reached) = self.limits.use_pinterest_calls(tenant, with_sections.len()).await {
            return Ok(ChannelBoards { boards: Err(row_problem(&reached)), ..loaded });
        }
        let sections = stream::iter(with_sections).map(|board| async move {
            let sections = async {
                let sections = pinterest.sections(environment, access, &board).await;
                Ok(sessions.checked(sections, session).await?)
            };
            let sections = in_time(until, sections).await;
            (board, sections)
        });
        loaded.sections = sections.buffered(MAX_PARALLEL_SECTIONS).collect().await;
        Ok(loaded)
    }
}

impl ChannelBoards {
    /// The board of a name, and the section whose name follows a slash.
    pub(super) fn board(&self, name: &str) -> RowResult<(BoardId, Option<SectionId>)> {
        let unknown = || {
            let fix = "Write it as Pinterest shows it, with a section after a slash: `Recipes/Salads`.";
            let detail = "is no board of the account";
            row_problem(&Invalid::new("pinterest board", "board_id_invalid", detail, fix).into())
        };
        let boards = self.boards.as_ref().map_err(Clone::clone)?;
        if let Some(board) = board_of_name(boards, name) {
            return Ok((board.clone(), None));
        }
        let (board, section) = split(boards, name).ok_or_else(unknown)?;
        let sections = self.sections.get(board).ok_or_else(unknown)?.as_ref().map_err(Clone::clone)?;
        let section = sections.iter().find(|known| known.name == section).ok_or_else(unknown)?;
        Ok((board.clone(), Some(section.id.clone())))
    }
}

fn board_of_name<'a>(boards: &'a [Board], name: &str) -> Option<&'a BoardId> {
    boards.iter().find(|board| board.name == name).map(|board| &board.id)
}

/// The board before the slash, and what is after it: unless all of it is a board's name.
fn split<'a>(boards: &'a [Board], name: &'a str) -> Option<(&'a BoardId, &'a str)> {
    if board_of_name(boards, name).is_some() {
        return None;
    }
    let (board, section) = name.split_once('/')?;
    Some((board_of_name(boards, board.trim())?, section.trim()))
}

async fn in_time<T>(until: Instant, answer: impl Future<Output = Result<T>>) -> RowResult<T> {
    timeout_at(until, answer)
        .await
        .map_or_else(|_| Err(deadline_exceeded()), |answer| answer.map_err(|error| row_problem(&error)))
}

#[cfg(test)]
mod tests {
    use tokio::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_late_is_left_to_the_next_call() {
        let until = Instant::now() + Duration::from_secs(12);
        let late = in_time(until, std::future::pending::<Result<()>>()).await;
        assert_eq!(
            late.map_err(|problem| (problem.is_passing(), problem.code)),
            Err((true, "not_done".to_owned()))
        );
        assert_eq!(Instant::now(), until);
        assert_eq!(in_time(until, async { Ok(1) }).await.ok(), Some(1), "what needs no time has it");
    }
}
