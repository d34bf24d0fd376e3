//! `POST /api/v1/pins`: publishes a Pin now, or stores it until its time; one at a time, or many in a file.
//! `POST /api/v1/media`: prepares the upload of a file.

use app::{handlers::Publish, start};
use edge::{Exit, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Exit {
    let setup = start()?;
    let sessions = setup.sessions(setup.main_table()?, setup.tokens_table()?, setup.vault()?);
    let publisher = setup.publisher(sessions, setup.media_bucket()?, setup.media_fetch()?);
    serve(Publish::new(publisher, &setup)).await
}
