//! All that is measured in one run.

use std::path::Path;

use crate::{
    Failure, callgrind,
    measure::{self, Instructions, Memory, Size, Start},
    process::Running,
    programs::{Others, Programs},
    requests::{Requests, Work},
    servers::{Channels, Reach, Servers},
};

/// A program that is compared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Compared {
    pub(crate) size: Size,
    pub(crate) start: Start,
    pub(crate) memory: Memory,
    /// None without valgrind.
    pub(crate) instructions: Option<Instructions>,
}

/// What is the same on every machine, of one function.
#[derive(Clone, Debug)]
pub(crate) struct Cost {
    pub(crate) name: String,
    pub(crate) size: Size,
    /// None without valgrind.
    pub(crate) instructions: Option<Until>,
}

/// What is executed until a function asks for its first event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Until {
    pub(crate) plain: u64,
    /// With the handshakes that it makes ahead, if it makes any.
    pub(crate) with_tls: u64,
}

/// The figures.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(crate) floor: Compared,
    pub(crate) publish: Compared,
    pub(crate) tutorial: Compared,
    /// Of `pins`, which people call most.
    pub(crate) pins: Memory,
    /// In the order of `costs`.
    pub(crate) starts: Vec<Start>,
    pub(crate) costs: Vec<Cost>,
    /// Of a warm request of each kind.
    pub(crate) round_trips: Vec<(&'static str, usize)>,
}

impl Figures {
    /// Measures everything but `costs`, with one program at a time.
    pub(crate) async fn of(
        servers: &Servers,
        programs: &Programs,
        channels: &Channels,
        costs: Vec<Cost>,
    ) -> Result<Self, Failure> {
        let (publish, pins) = (programs.function("publish")?, programs.function("pins")?);
        let Others { floor, tutorial } = Others::build()?;
        let mut starts = Vec::new();
        for Cost { name, .. } in &costs {
            eprintln!("starting {name}");
            starts.push(measure::start(servers, programs.function(name)?, None).await?);
        }
        let pin = pin(servers, publish, channels).await?;
        let mut publishing = Work::Publish(Requests::new(channels.clone(), "publish"));
        let mut following = Work::Tutorial(Requests::new(Channels::of_tutorial(), "tutorial"));
        Ok(Self {
            round_trips: measure::round_trips(servers, programs, channels, &pin).await?,
            floor: compared(servers, "the floor", &floor, &mut Work::Greet).await?,
            publish: compared(servers, "publish", publish, &mut publishing).await?,
            tutorial: compared(servers, "the tutorial", &tutorial, &mut following).await?,
            pins: measure::memory(servers, pins, &mut Work::Read(pin)).await?,
            starts,
            costs,
        })
    }
}

/// What every function costs.
pub(crate) async fn costs(servers: &Servers, programs: &Programs) -> Result<Vec<Cost>, Failure> {
    let counts = callgrind::is_there().await;
    let mut costs = Vec::new();
    for (name, program) in &programs.functions {
        eprintln!("counting {name}");
        let instructions = if counts {
            let plain = callgrind::instructions(servers, program, Reach::Plain, Vec::new).await?;
            Some(Until {
                plain,
                with_tls: callgrind::instructions(servers, program, Reach::Tls, Vec::new).await?,
            })
        } else {
            None
        };
        costs.push(Cost { name: name.clone(), size: measure::size(program)?, instructions });
    }
    Ok(costs)
}

async fn compared(
    servers: &Servers,
    name: &str,
    program: &Path,
    work: &mut Work,
) -> Result<Compared, Failure> {
    eprintln!("comparing {name}");
    let counts = callgrind::is_there().await;
    Ok(Compared {
        size: measure::size(program)?,
        start: measure::start(servers, program, Some(work)).await?,
        instructions: if counts { Some(measure::instructions(servers, program, work).await?) } else { None },
        memory: measure::memory(servers, program, work).await?,
    })
}

/// Publishes a Pin: its id.
async fn pin(servers: &Servers, publish: &Path, channels: &Channels) -> Result<String, Failure> {
    let mut publish = Running::start(servers, publish, Reach::Tls).await?;
    let pin = publish.ask(&Requests::new(channels.clone(), "pin").publish(), 201).await?;
    Ok(pin["id"].as_str().ok_or("a Pin without an id")?.to_owned())
}
