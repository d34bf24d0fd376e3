//! `GET /openapi.json`, `GET /problems/{code}` and `GET /api/v1/health`.

use app::{handlers::Docs, start};
use edge::{Exit, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Exit {
    let setup = start()?;
    serve(Docs::new(&setup)).await
}
