//! Images, videos and carousels, and the files that they are made of.

mod carousel;
mod files;
pub(crate) mod uploads;
mod video;
