//! Lyceum

pub mod accounts;
pub mod app;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod graphql;
pub mod http;
pub mod platform;
