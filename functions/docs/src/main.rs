//! `GET /openapi.json` and `GET /api/v1/health`.

use app::{Exit, functions::Docs, http, start};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Exit {
    let setup = start()?;
    http::serve(Docs::new(&setup)).await
}
