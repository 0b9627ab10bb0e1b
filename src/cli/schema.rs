//! `lyceum schema`

use async_graphql::ValidationMode;

use crate::graphql::schema;
use crate::platform::fault::Fault;

pub(super) fn run() -> Result<(), Fault> {
    print!("{}", schema::print(&schema::builder(ValidationMode::Strict).finish()));
    Ok(())
}
