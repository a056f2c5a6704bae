//! The executable, started and called the way its users do.

// The attribute tells clippy that functions which tests call are test code as well.
#[cfg(test)]
mod schemathesis;
