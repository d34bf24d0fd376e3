//! Images, videos and carousels, and the files that they are made of.

mod carousel;
pub(crate) mod files;
pub(crate) mod uploads;
pub(crate) mod video;
