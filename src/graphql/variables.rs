//! Values of variables.

use async_graphql::parser::types::{BaseType, OperationDefinition, VariableDefinition};
use async_graphql::{Positioned, ServerError, Value, Variables};

use super::error::request_error;

/// Rejects an operation if a non-null variable has no value.
///
/// # Errors
/// `GRAPHQL_VALIDATION_FAILED`, with the name of the variable and its type.
pub fn check_required(operation: &OperationDefinition, variables: &Variables) -> Result<(), ServerError> {
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

/// Sets absent Boolean variables to their defaults.
///
/// async-graphql 7.2.1 ignores the default of a variable in `@include` or `@skip` and treats it as false if it is
/// absent. These conditions are Boolean, so other variables are left alone.
pub fn fill_conditions(operation: &OperationDefinition, variables: &mut Variables) {
    for definition in &operation.variable_definitions {
        if let Some(Positioned { node: default @ Value::Boolean(_), .. }) = &definition.node.default_value {
            variables.entry(definition.node.name.node.clone()).or_insert_with(|| default.clone());
        }
    }
}

/// Returns whether the value is a built-in scalar of the variable's type, or validly absent.
pub fn is_plain(definition: &VariableDefinition, variables: &Variables) -> bool {
    let ty = &definition.var_type.node;
    let BaseType::Named(name) = &ty.base else { return false };
    match (name.as_str(), variables.get(&definition.name.node)) {
        (_, None) => ty.nullable || definition.default_value.is_some(),
        (_, Some(Value::Null)) => ty.nullable,
        ("String" | "ID", Some(Value::String(_))) | ("Boolean", Some(Value::Boolean(_))) => true,
        ("Int", Some(Value::Number(number))) => number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        _ => false,
    }
}
