//! The data that the rows of a file need: a channel, and the boards that they name. All of it is read once.

use std::collections::{BTreeMap, BTreeSet};

use domain::{BoardId, Channel, ChannelId, Invalid, SectionId, TenantId};
use edge::Problem;
use futures_util::{StreamExt as _, stream};
use pinterest::{Board, Section};
use tokio::time::{Instant, timeout_at};

use super::{
    names::{Named, of_name},
    outcome::{RowResult, deadline_exceeded, row_problem},
};
use crate::{error::Result, handlers::publish::Publish};

/// How many boards' sections are read in parallel.
const MAX_PARALLEL_SECTIONS: usize = 8;

/// A channel, and the boards and sections that rows name.
pub(super) struct ChannelBoards {
    pub(super) channel: Channel,
    /// Read only if a row names a board.
    boards: RowResult<Vec<Named<Board>>>,
    /// The sections of the boards for which rows name a section.
    sections: BTreeMap<BoardId, RowResult<Vec<Named<Section>>>>,
}

impl Publish {
    /// `names`: the names of boards in the rows. What Pinterest has not answered by `until` is left to the next call.
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
            let boards = sessions.checked(boards, session).await?.into_iter();
            Ok(boards.map(|board| Named::new(&board.name.clone(), board)).collect())
        };
        loaded.boards = in_time(until, boards).await;
        let boards = loaded.boards.as_deref().unwrap_or_default();
        let mut with_sections = BTreeSet::new();
        with_sections.extend(names.iter().filter_map(|name| Some(loaded.split(boards, name)?.0.clone())));
        if let Err(reached) = self.limits.use_pinterest_calls(tenant, with_sections.len()).await {
            return Ok(ChannelBoards { boards: Err(row_problem(&reached)), ..loaded });
        }
        let sections = stream::iter(with_sections).map(|board| async move {
            let sections = async {
                let sections = pinterest.sections(environment, access, &board).await;
                let sections = sessions.checked(sections, session).await?.into_iter();
                Ok(sections.map(|section| Named::new(&section.name.clone(), section)).collect())
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
        let boards = self.boards.as_ref().map_err(Clone::clone)?;
        let whole = self.boards_of_name(boards, name);
        if !whole.is_empty() {
            return Ok((only_board(&whole)?.clone(), None));
        }
        let (board, section) = self.split(boards, name).ok_or_else(unknown)?;
        let sections = self.sections.get(board).ok_or_else(unknown)?.as_ref().map_err(Clone::clone)?;
        match of_name(sections, section).as_slice() {
            [] => Err(unknown()),
            [section] => Ok((board.clone(), Some(section.id.clone()))),
            several => Err(ambiguous("sections", several.iter().map(|section| section.id.to_string()))),
        }
    }

    /// The boards that a name may mean. The account's own boards win over group boards of others.
    fn boards_of_name<'a>(&self, boards: &'a [Named<Board>], name: &str) -> Vec<&'a Board> {
        let named = of_name(boards, name);
        let is_own = |board: &&Board| !board.is_of_another(&self.channel.account.username);
        let own: Vec<_> = named.iter().copied().filter(is_own).collect();
        if own.is_empty() { named } else { own }
    }

    /// Divides the text at a slash into board and section, unless the whole text is the name of a board.
    fn split<'a, 'n>(&self, boards: &'a [Named<Board>], name: &'n str) -> Option<(&'a BoardId, &'n str)> {
        if !self.boards_of_name(boards, name).is_empty() {
            return None;
        }
        name.match_indices('/').find_map(|(slash, _)| {
            let named = self.boards_of_name(boards, &name[..slash]);
            Some((only_board(&named).ok()?, &name[slash + 1..]))
        })
    }
}

fn only_board<'a>(boards: &[&'a Board]) -> RowResult<&'a BoardId> {
    match boards {
        [] => Err(unknown()),
        [board] => Ok(&board.id),
        several => Err(ambiguous("boards", several.iter().map(|board| board.id.to_string()))),
    }
}

fn unknown() -> Box<Problem> {
    let fix = "Write it as Pinterest shows it, with a section after a slash: `Recipes/Salads`.";
    let detail = "is no board of the account";
    row_problem(&Invalid::new("pinterest board", "board_id_invalid", detail, fix).into())
}

fn ambiguous(what: &str, ids: impl Iterator<Item = String>) -> Box<Problem> {
    let ids = ids.collect::<Vec<_>>().join(" and ");
    let detail = format!("is the name of several {what}: {ids}");
    let fix =
        "Leave the column `Pinterest board` empty, and give the id in `board_id` and `board_section_id`.";
    row_problem(&Invalid::new("pinterest board", "ambiguous_board", detail, fix).into())
}

async fn in_time<T>(until: Instant, answer: impl Future<Output = Result<T>>) -> RowResult<T> {
    timeout_at(until, answer)
        .await
        .map_or_else(|_| Err(deadline_exceeded()), |answer| answer.map_err(|error| row_problem(&error)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_late_is_left_to_the_next_call() {
        let until = Instant::now() + Duration::from_secs(12);
        let result = in_time(until, std::future::pending::<Result<()>>()).await;
        assert_eq!(
            result.map_err(|problem| (problem.is_passing(), problem.code)),
            Err((true, "not_done".to_owned()))
        );
        assert_eq!(Instant::now(), until);
        assert_eq!(in_time(until, async { Ok(1) }).await.ok(), Some(1), "what needs no time has it");
    }

    /// The boards of ada, each with its id, its name and its owner.
    fn boards(all: &[(&str, &str, &str)]) -> ChannelBoards {
        let account = json!({"pinterest_user_id": "1", "username": "ada"});
        let channel = json!({
            "id": "ch_00000000000000000000000000", "tenant": "t", "environment": "sandbox", "account": account,
            "connection": {"status": "connected"}, "scopes": ["boards:read"], "connected_at": "2026-12-01T09:00:00Z", "version": 1,
        });
        let boards = all.iter().map(|(id, name, owner)| {
            let board = json!({"id": id, "name": name, "owner": {"username": owner}});
            Named::new(name, serde_json::from_value(board).unwrap())
        });
        ChannelBoards {
            channel: serde_json::from_value(channel).unwrap(),
            boards: Ok(boards.collect()),
            sections: BTreeMap::new(),
        }
    }

    #[test]
    fn the_account_s_own_board_wins_over_another_of_the_same_name() {
        let channel = boards(&[("1", "Recipes", "eve"), ("2", "Recipes", "ada"), ("3", "Ideas", "eve")]);
        let id = |name: &str| channel.board(name).map(|(board, _)| board.to_string()).ok();
        assert_eq!(id("Recipes"), Some("2".to_owned()));
        assert_eq!(id("recipes "), Some("2".to_owned()));
        assert_eq!(id("Ideas"), Some("3".to_owned()), "there is no other");
    }

    #[test]
    fn an_ambiguous_board_name_is_refused_with_the_ids() {
        let channel = boards(&[
            ("1", "Recipes", "eve"),
            ("2", "Recipes", "bob"),
            ("3", "Café", "ada"),
            ("4", "CAFÉ", "ada"),
        ]);
        for (name, ids) in [("Recipes", "1 and 2"), ("café", "3 and 4")] {
            let problem = channel.board(name).unwrap_err();
            assert_eq!(problem.code, "ambiguous_board");
            assert!(problem.detail.ends_with(ids), "{}", problem.detail);
        }
        assert_eq!(channel.board("Café").unwrap().0.to_string(), "3", "to the letter");
    }
}
