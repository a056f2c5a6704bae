//! The executable, started and called the way its users do.

mod schemathesis;
