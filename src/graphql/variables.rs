//! Variables that an operation cannot do without.
//!
//! async-graphql 7.2.1 looks at a variable only where it is used: an operation without a required one is executed and
//! fails in the middle. The GraphQL specification (October 2021, section 6.1.2) wants a request error before anything
//! is executed.

use async_graphql::parser::types::OperationDefinition;
use async_graphql::{ServerError, Value, Variables};

use super::error::request_error;

/// Refuses an operation if a variable that must not be null has no value.
///
/// # Errors
/// `GRAPHQL_VALIDATION_FAILED` names the variable and its type.
pub(super) fn check_variables(operation: &OperationDefinition, variables: &Variables) -> Result<(), ServerError> {
    for definition in &operation.variable_definitions {
        let (name, ty) = (&definition.node.name.node, &definition.node.var_type.node);
        let missing = match variables.get(name) {
            None => definition.node.default_value.is_none(),
            Some(value) => *value == Value::Null,
        };
        if missing && !ty.nullable {
            let message = format!("The variable ${name} of type {ty} is required; it has no value.");
            let mut error = request_error("GRAPHQL_VALIDATION_FAILED", message);
            error.locations.push(definition.pos);
            return Err(error);
        }
    }
    Ok(())
}
