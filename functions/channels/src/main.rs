//! `/api/v1/channels` and `POST /api/v1/connections/claim`: connected accounts and their boards.

use app::{Exit, functions::Channels, http, start};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Exit {
    let setup = start()?;
    let channels =
        Channels::new(setup.vault()?, setup.main_table()?, setup.tokens_table()?, setup.pinterest(), &setup);
    http::serve(channels).await
}
