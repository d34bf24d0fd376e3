//! `POST /api/v1/pins`: publishes a Pin now, or keeps it until its time.

use app::{
    Exit,
    functions::{Publish, Sender},
    http, start,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Exit {
    let setup = start()?;
    let sender =
        Sender::new(setup.vault()?, setup.main_table()?, setup.tokens_table()?, setup.pinterest(), &setup);
    http::serve(Publish::new(sender, &setup)).await
}
