//! Refreshing tokens, and the keys that seal them.

mod rotation;
mod save_window;
pub(crate) mod sealing_keys;
