//! Parts of `transfer`: the progress, the registry on either end, the printed result, metrics and traces.

mod images;
mod progress;
mod registry;
mod report;
mod signals;
mod telemetry;

pub(crate) use images::{image_settings, with_image_options};
pub(crate) use progress::Progress;
pub(crate) use registry::{Registration, find};
pub(crate) use report::print;
pub(crate) use signals::stop_on_signals;
pub(crate) use telemetry::{Counts, start_export};
