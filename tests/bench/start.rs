//! `cargo bench -p bench`: what a start and a request of each function cost, beside the floor and a tutorial.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match bench::run(std::env::args().skip(1)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
