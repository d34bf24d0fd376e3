//! The pages, for people with a browser.

use app::{Exit, functions::Console, http, start};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Exit {
    let setup = start()?;
    http::serve(Console::new(&setup)?).await
}
