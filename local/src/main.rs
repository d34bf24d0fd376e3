//! `cargo run`: Pinwright on this machine.

use std::{collections::BTreeMap, io::Write as _, path::PathBuf, process::ExitCode};

use clap::{Parser, ValueEnum};
use local::{Data, Options, Pinterest, Stack};

/// Pinwright on this machine: the whole stack in one process.
#[derive(Debug, Parser)]
#[command(name = "pinwright", version)]
struct Arguments {
    /// The port on 127.0.0.1.
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// The folder for data. With `:memory:`, nothing is written to disk.
    #[arg(long, value_name = "DIR", default_value = ".pinwright")]
    data: PathBuf,
    /// The Pinterest to publish to. Variables with its address take precedence.
    #[arg(long, value_enum, default_value_t = PinterestArgument::Simulated)]
    pinterest: PinterestArgument,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PinterestArgument {
    Simulated,
    Live,
}

#[tokio::main]
async fn main() -> ExitCode {
    start_log();
    let arguments = Arguments::parse();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pinwright: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let in_memory = arguments.data.as_os_str() == ":memory:";
    let stack = Stack::start(Options {
        port: arguments.port,
        data: if in_memory { Data::Memory } else { Data::Folder(arguments.data) },
        pinterest: match arguments.pinterest {
            PinterestArgument::Simulated => Pinterest::Simulated,
            PinterestArgument::Live => Pinterest::Live,
        },
        variables: read_variables()?,
        timer: true,
    })
    .await?;
    print(&welcome_text(&stack));
    tokio::signal::ctrl_c().await?;
    print("\nStopping.\n");
    stack.stop().await?;
    Ok(())
}

/// Prints a text, and ignores errors: nobody may read the output any more.
fn print(text: &str) {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).ok();
}

/// The variables of the environment and of the file `.env` in this folder; the environment takes precedence. An error
/// does not repeat a line of the file, because it may hold a secret.
fn read_variables() -> Result<BTreeMap<String, String>, String> {
    let mut all = BTreeMap::new();
    match dotenvy::dotenv_iter() {
        Ok(file) => {
            for (number, pair) in (1..).zip(file) {
                let (name, value) = pair.map_err(|_| {
                    format!("setting {number} in .env is not of the form NAME=value: put values with spaces in quotes")
                })?;
                all.insert(name, value);
            }
        }
        Err(error) if error.not_found() => {}
        Err(_) => return Err("the file .env cannot be read: check its permissions".to_owned()),
    }
    all.extend(std::env::vars());
    Ok(all)
}

fn welcome_text(stack: &Stack) -> String {
    let url = stack.url();
    let pinterest = match stack.pinterest() {
        Some(pinterest) => format!(
            "simulated, at {}/ (App ID {}, App Secret {})",
            pinterest.url(),
            simulated_pinterest::APP_ID,
            simulated_pinterest::APP_SECRET,
        ),
        None => "not simulated".to_owned(),
    };
    format!(
        "Pinwright runs at {url}
Pinterest: {pinterest}

To set up the integration in a browser, open {url}/admin/api-integration/pinterest.
To use the API, get a token:

  curl -s {url}/dev/token -H 'Content-Type: application/json' -d '{{\"sub\":\"ada\",\"admin\":true}}'

docs/tutorial.md shows the next steps, up to a published Pin. Press Ctrl-C to stop.
"
    )
}

/// Starts the log on standard error. `RUST_LOG` sets its level.
fn start_log() {
    use tracing_subscriber::{filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _};
    let filter = std::env::var("RUST_LOG").ok().and_then(|filter| filter.parse::<Targets>().ok());
    let filter = filter.unwrap_or_else(|| Targets::new().with_default(tracing::Level::INFO));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    tracing_subscriber::registry().with(filter).with(app::log_limits()).with(lines).init();
}
