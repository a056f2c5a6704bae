//! Copies between places that need different settings each, such as two object stores with their own credentials.

use crate::endpoint::Result;
use crate::engine::{Ends, Report, transfer};
use crate::location::Location;
use crate::open::{Context, check_options, check_overlap, open_destination, open_source};
use crate::stop::Stop;

/// Copies the files of a location to another one, each with its own settings. Options (but for the digest, which is that of the source),
/// observer and the way to repeat are those of the destination.
pub async fn copy_between(
    (source, from): (&Location, &Context),
    (destination, to): (&Location, &Context),
    stop: &Stop,
) -> Result<Report> {
    check_options(&to.options)?;
    check_options(&from.options)?;
    check_overlap(source, destination)?;
    let ends = Ends {
        source: open_source(source, destination, from)?,
        source_name: source.to_string(),
        destination: open_destination(source, destination, to)?,
    };
    let options = crate::options::Options { digest: from.options.digest, ..to.options.clone() };
    transfer(ends, &options, &to.observer, stop).await
}
