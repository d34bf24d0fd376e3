//! `POST /api/v1/pins`: publishes a Pin now, or keeps it until its time; one at a time, or many in a file.
//! `POST /api/v1/media`: takes a file for one.

use app::{
    Exit,
    functions::{Publish, Sender},
    http, start,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Exit {
    let setup = start()?;
    let (main, tokens, bucket) = (setup.main_table()?, setup.tokens_table()?, setup.media_bucket()?);
    let sender = Sender::new(setup.vault()?, main, tokens, setup.pinterest(), setup.fetch()?, bucket, &setup);
    http::serve(Publish::new(sender, &setup)).await
}
