//! Transfers against real and failing servers.

mod archives;
mod directories;
mod google;
mod hub;
mod images;
mod interruptions;
mod s3;
mod support;
mod web;
