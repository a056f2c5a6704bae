//! Parts of `transfer`: the progress, the registry on either end, the printed result.

mod images;
mod progress;
mod registry;
mod report;
mod signals;

pub(crate) use images::{image_settings, with_image_options};
pub(crate) use progress::Progress;
pub(crate) use registry::{Registration, find};
pub(crate) use report::print;
pub(crate) use signals::stop_on_signals;
