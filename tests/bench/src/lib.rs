//! What a start and a request cost: the release binaries, driven through a Lambda Runtime API on loopback against
//! servers with TLS, beside the least that a function can be and what a tutorial would write.
//!
//! | module | holds |
//! | --- | --- |
//! | `programs`, `asked` | what is measured, and what the command line wants |
//! | `runtime_api`, `process`, `callgrind` | a function as Lambda runs it, and as callgrind does |
//! | `servers`, `front`, `tls`, `requests` | whom it calls, what counts the calls, and what it is asked |
//! | `measure`, `figures` | one program's figures, and all of them |
//! | `budgets` | which figures fail the run |
//! | `table`, `picture`, `document` | how they are shown |

mod asked;
mod budgets;
mod callgrind;
mod document;
mod figures;
mod front;
mod measure;
mod picture;
mod process;
mod programs;
mod requests;
mod runtime_api;
mod servers;
mod table;
mod tls;

use self::{asked::Asked, figures::Figures, programs::Programs, servers::Servers};

/// What ends a run: somebody reads it, and nothing else can be done.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Builds, measures, shows, and holds the figures against the budgets.
pub async fn run(arguments: impl Iterator<Item = String>) -> Result<(), Failure> {
    let asked = Asked::read(arguments)?;
    let programs = Programs::build(asked.bootstraps.as_deref())?;
    let servers = Servers::start().await?;
    let channels = servers.connect(&programs).await?;
    let costs = figures::costs(&servers, &programs).await?;
    let mut broken = budgets::broken(&costs);
    if asked.budgets {
        println!("{}", table::costs(&costs));
    } else {
        servers.write_tutorial_rows().await?;
        let figures = Figures::of(&servers, &programs, &channels, costs).await?;
        let tables = table::all(&figures);
        println!("{tables}");
        if asked.write_docs {
            document::write(&tables, &picture::of(&figures))?;
        }
        broken.extend(budgets::warm(figures.publish.instructions));
        broken.extend(budgets::close(&figures.publish, &figures.tutorial));
    }
    if broken.is_empty() { Ok(()) } else { Err(broken.join("\n").into()) }
}
