//! The pages, for people with a browser.

use app::{handlers::Console, start};
use edge::{Exit, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Exit {
    let setup = start()?;
    serve(Console::new(&setup)?).await
}
