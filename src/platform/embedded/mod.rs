//! Embedded services, so that the server runs without other software.
//!
//! These are PostgreSQL as a supervised child process and an object store within this process.

pub mod objects;
pub mod postgres;
