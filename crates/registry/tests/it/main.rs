//! The registry's API, driven in process on every database that is there.

// The attribute tells clippy that functions which tests call are test code as well.
#[cfg(test)]
mod contract;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod odd_requests;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod support;
