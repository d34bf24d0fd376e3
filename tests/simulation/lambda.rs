//! Lambda: execution environments that serve one event at a time. A fault can kill or freeze them at every await.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use app::Setup;
use tokio::time::{Duration, Instant, Sleep, sleep};

use crate::env::SimEnv;

/// The part of a call in which its process may meet a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallPhase {
    /// Before the request is sent.
    Before,
    /// The request was sent, and the answer has not arrived.
    InFlight,
    /// The answer has arrived, and the program has not read it.
    After,
}

/// What a call is for, as far as it matters to a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallKind {
    /// `POST /pins`.
    SendPin,
    /// Reads a page of a board.
    ListBoard,
    /// Exchanges a refresh token.
    RefreshTokens,
    /// Saves a new token pair.
    SaveTokenPair,
    /// Any other write of a row of tokens.
    OtherTokenWrite,
    /// Writes a Pin as `sending`.
    WriteSending,
    /// Writes a Pin as `published`.
    WritePublished,
    /// Any other write of a Pin.
    OtherPinWrite,
    /// Starts a worker.
    StartWorker,
    /// Every other call.
    Other,
}

/// A fault of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProcessFault {
    /// It ends at once.
    Kill,
    /// It stands still for this time.
    Freeze(Duration),
}

/// When a process meets its fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// After this many steps of the program. Every await is one step or more.
    Steps(u32),
    /// In this phase of a call of this kind.
    Call(CallKind, CallPhase),
}

/// One invocation, as the transports know it.
#[derive(Clone)]
pub(crate) struct Invocation(Arc<Mutex<InvocationState>>);

#[derive(Default)]
struct InvocationState {
    id: u64,
    steps: u32,
    planned_fault: Option<(Trigger, ProcessFault)>,
    /// A fault that was triggered and has not happened yet.
    triggered_fault: Option<ProcessFault>,
    frozen: Duration,
}

impl Invocation {
    /// The invocation of a process that has no event.
    pub(crate) fn idle() -> Self {
        Self(Arc::default())
    }

    pub(crate) fn id(&self) -> u64 {
        self.0.lock().unwrap().id
    }

    /// For how long the process has stood still, all freezes together.
    pub(crate) fn frozen(&self) -> Duration {
        self.0.lock().unwrap().frozen
    }

    /// Triggers the fault that is planned for this phase of this call. The program does not go on before the fault
    /// has happened.
    pub(crate) async fn reach(&self, kind: CallKind, phase: CallPhase) {
        {
            let mut state = self.0.lock().unwrap();
            match state.planned_fault {
                Some((Trigger::Call(at_kind, at_phase), fault)) if (at_kind, at_phase) == (kind, phase) => {
                    (state.planned_fault, state.triggered_fault) = (None, Some(fault));
                }
                _ => return,
            }
        }
        let mut has_yielded = false;
        poll_fn(|context| {
            if std::mem::replace(&mut has_yielded, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Counts a step, and returns the fault that happens at it.
    fn step(&self) -> Option<ProcessFault> {
        let mut state = self.0.lock().unwrap();
        state.steps += 1;
        if let Some((Trigger::Steps(last), fault)) = state.planned_fault
            && state.steps >= last
        {
            (state.planned_fault, state.triggered_fault) = (None, Some(fault));
        }
        state.triggered_fault.take()
    }

    fn take_triggered_fault(&self) -> Option<ProcessFault> {
        self.0.lock().unwrap().triggered_fault.take()
    }
}

/// One function and its execution environments.
pub(crate) struct Lambda<T> {
    env: Arc<SimEnv>,
    name: &'static str,
    limit: Duration,
    build: fn(&SimEnv, &Setup) -> T,
    idle: Mutex<Vec<Environment<T>>>,
}

struct Environment<T> {
    function: T,
    invocation: Invocation,
    /// Whether App ID and App Secret were set when it started. When they change, Lambda starts another environment.
    is_configured: bool,
}

impl<T> Lambda<T> {
    pub(crate) fn new(
        env: &Arc<SimEnv>,
        name: &'static str,
        limit: Duration,
        build: fn(&SimEnv, &Setup) -> T,
    ) -> Self {
        Self { env: env.clone(), name, limit, build, idle: Mutex::default() }
    }

    /// Runs `work` in a free environment, and ends it two seconds after the deadline that `work` gets.
    /// `None`: the process was killed, and its environment is gone.
    pub(crate) async fn invoke<A>(&self, work: impl AsyncFnOnce(&T, Instant) -> A) -> Option<A> {
        let is_configured = self.env.is_configured();
        let idle = {
            let mut idle = self.idle.lock().unwrap();
            idle.retain(|environment| environment.is_configured == is_configured);
            idle.pop()
        };
        let environment = idle.unwrap_or_else(|| {
            let invocation = Invocation::idle();
            let function = (self.build)(&self.env, &self.env.setup(&invocation));
            Environment { function, invocation, is_configured }
        });
        let id = self.env.next_invocation();
        let planned_fault = self.env.random_process_fault();
        *environment.invocation.0.lock().unwrap() =
            InvocationState { id, planned_fault, ..InvocationState::default() };
        self.env.invariants.lock().unwrap().invocation_began(id, self.name);
        self.env.note(|| {
            format!(
                "#{id} {} begins {}",
                self.name,
                planned_fault.map_or(String::new(), |f| format!("{f:?}"))
            )
        });

        let end = Instant::now() + self.limit;
        let execution = Execution {
            inner: Box::pin(work(
                &environment.function,
                end.checked_sub(Duration::from_secs(2)).unwrap_or(end),
            )),
            invocation: environment.invocation.clone(),
            frozen: None,
        };
        let answer = tokio::time::timeout_at(end, execution).await.ok().flatten();
        self.env
            .note(|| format!("#{id} {} {}", self.name, if answer.is_some() { "ends" } else { "is killed" }));
        if answer.is_some() {
            let mut invariants = self.env.invariants.lock().unwrap();
            invariants.invocation_ended(&self.env, id);
            invariants.check_all_is_taken(&self.env);
            drop(invariants);
            self.idle.lock().unwrap().push(environment);
        }
        answer
    }
}

/// A program that can be killed and frozen.
struct Execution<F> {
    inner: Pin<Box<F>>,
    invocation: Invocation,
    frozen: Option<Pin<Box<Sleep>>>,
}

impl<F: Future> Future for Execution<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut fault = None;
        loop {
            if let Some(frozen) = &mut self.frozen {
                if frozen.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                self.frozen = None;
            }
            match fault {
                Some(ProcessFault::Kill) => return Poll::Ready(None),
                Some(ProcessFault::Freeze(time)) => {
                    self.invocation.0.lock().unwrap().frozen += time;
                    self.frozen = Some(Box::pin(sleep(time)));
                    fault = None;
                    continue;
                }
                None => {}
            }
            fault = self.invocation.step();
            if fault.is_some() {
                continue;
            }
            if let Poll::Ready(answer) = self.inner.as_mut().poll(context) {
                return Poll::Ready(Some(answer));
            }
            fault = self.invocation.take_triggered_fault();
            if fault.is_none() {
                return Poll::Pending;
            }
        }
    }
}
