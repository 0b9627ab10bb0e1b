//! `lyceum schema`

use crate::graphql::schema;
use crate::platform::internal_error::InternalError;

pub(super) fn run() -> Result<(), InternalError> {
    print!("{}", schema::print(&schema::builder().finish()));
    Ok(())
}
