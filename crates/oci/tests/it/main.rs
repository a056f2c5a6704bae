//! Images against a registry that fails as planned, and against Debian's `docker-registry` with skopeo.

#![expect(clippy::unwrap_used, reason = "a failing helper fails the test")]

mod authentication;
mod base_images;
mod docker_registry;
mod fake_registry;
mod faults;
mod hostile_layers;
mod images;
mod oras;
mod referrers;
mod resume;
mod support;
