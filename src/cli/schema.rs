//! `lyceum schema`

use crate::graphql::schema;
use crate::platform::fault::Fault;

pub(super) fn run() -> Result<(), Fault> {
    print!("{}", schema::print(&schema::builder().finish()));
    Ok(())
}
