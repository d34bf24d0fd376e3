//! All that is measured in one run.

use std::path::Path;

use crate::{
    Failure, callgrind,
    measure::{self, Instructions, Memory, Size, Start},
    process::Running,
    programs::Programs,
    requests::{Requests, Work},
    world::{Channels, Reach, World},
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

/// What is measured of every function.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) size: Size,
    pub(crate) start: Start,
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
    pub(crate) functions: Vec<Function>,
    /// Of a warm request of each kind.
    pub(crate) round_trips: Vec<(&'static str, usize)>,
}

impl Figures {
    /// Measures everything, with one program at a time.
    pub(crate) async fn of(world: &World, programs: &Programs, channels: &Channels) -> Result<Self, Failure> {
        let counts = callgrind::is_there().await;
        if !counts {
            eprintln!("{}", callgrind::MISSING);
        }
        let (publish, pins) = (programs.function("publish")?, programs.function("pins")?);
        let mut functions = Vec::new();
        for (name, program) in &programs.functions {
            functions.push(function(world, name, program, counts).await?);
        }
        let pin = pin(world, publish, channels).await?;
        let mut publishing = Work::Publish(Requests::new(channels.clone(), "publish"));
        let mut following = Work::Tutorial(Requests::new(Channels::of_tutorial(), "tutorial"));
        Ok(Self {
            round_trips: measure::round_trips(world, programs, channels, &pin).await?,
            floor: compared(world, "the floor", &programs.floor, counts, &mut Work::Greet).await?,
            publish: compared(world, "publish", publish, counts, &mut publishing).await?,
            tutorial: compared(world, "the tutorial", &programs.tutorial, counts, &mut following).await?,
            pins: measure::memory(world, pins, &mut Work::Read(pin)).await?,
            functions,
        })
    }
}

async fn function(world: &World, name: &str, program: &Path, counts: bool) -> Result<Function, Failure> {
    eprintln!("measuring {name}");
    let instructions = if counts {
        let plain = callgrind::instructions(world, program, Reach::Plain, Vec::new).await?;
        Some(Until { plain, with_tls: callgrind::instructions(world, program, Reach::Tls, Vec::new).await? })
    } else {
        None
    };
    let start = measure::start(world, program, None).await?;
    Ok(Function { name: name.to_owned(), size: measure::size(program)?, start, instructions })
}

async fn compared(
    world: &World,
    name: &str,
    program: &Path,
    counts: bool,
    work: &mut Work,
) -> Result<Compared, Failure> {
    eprintln!("comparing {name}");
    Ok(Compared {
        size: measure::size(program)?,
        start: measure::start(world, program, Some(work)).await?,
        instructions: if counts { Some(measure::instructions(world, program, work).await?) } else { None },
        memory: measure::memory(world, program, work).await?,
    })
}

/// Publishes a Pin: its id.
async fn pin(world: &World, publish: &Path, channels: &Channels) -> Result<String, Failure> {
    let mut publish = Running::start(world, publish, Reach::Tls).await?;
    let pin = publish.ask(&Requests::new(channels.clone(), "pin").publish(), 201).await?;
    Ok(pin["id"].as_str().ok_or("a Pin without an id")?.to_owned())
}
