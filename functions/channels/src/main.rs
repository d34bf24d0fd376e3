//! `/api/v1/channels` and `POST /api/v1/connections/claim`: connected accounts and their boards.

use app::{handlers::Channels, start};
use edge::{Exit, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Exit {
    let setup = start()?;
    let sessions = setup.sessions(setup.main_table()?, setup.tokens_table()?, setup.vault()?);
    serve(Channels::new(sessions, &setup)).await
}
