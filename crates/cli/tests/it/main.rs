//! The executable, started and called the way its users do.

// The attribute tells clippy that helpers of tests are tests as well.
#[cfg(test)]
mod schemathesis;
