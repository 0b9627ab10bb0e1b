//! `lyceum schema`

use async_graphql::ValidationMode;

use crate::graphql::schema;
use crate::platform::internal_error::InternalError;

pub(super) fn run() -> Result<(), InternalError> {
    print!("{}", schema::print(&schema::builder(ValidationMode::Strict).finish()));
    Ok(())
}
