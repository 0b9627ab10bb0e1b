//! `graphql-transport-ws` through a real server and a real client.

mod closing;
mod frames;
mod harness;
mod operations;
mod pressure;
