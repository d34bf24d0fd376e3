//! Refreshing tokens, and the keys that seal them.

mod rotation;
mod save_window;
mod sealing_keys;
