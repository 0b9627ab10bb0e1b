//! Validates documents and variable values by the rules of the GraphQL specification (October 2021, sections 5 and
//! 6.1.2).
//!
//! async-graphql 7.2.1 lacks many of the rules, for example all of them for `__typename`, so its own validation is off.

use apollo_compiler::parser::LineColumn;
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::response::{GraphQLError, JsonMap};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use async_graphql::{Pos, ServerError, Variables};

use super::error::request_error;
use super::type_map::TypeMap;
use crate::platform::internal_error::InternalError;

/// The maximum number of errors in a response.
const MOST_ERRORS: usize = 10;
/// The maximum number of characters of a message.
const LONGEST_MESSAGE: usize = 500;
/// The maximum length of an unknown name for which a similar one is looked up.
const LONGEST_NAME: usize = 100;
/// The code of a document or a variable that breaks a rule.
const FAILED: &str = "GRAPHQL_VALIDATION_FAILED";

/// The schema by which documents are validated.
pub struct Validator {
    schema: Valid<Schema>,
}

impl Validator {
    /// Reads the schema.
    ///
    /// # Errors
    /// The SDL is invalid.
    pub fn new(sdl: &str) -> Result<Validator, InternalError> {
        let schema = Schema::parse_and_validate(sdl, "schema.graphql")
            .map_err(|error| InternalError::new(format!("the schema is invalid: {}", error.errors)))?;
        Ok(Validator { schema })
    }

    /// Validates a document.
    ///
    /// With `suggestions`, the error of an unknown field names a similar one.
    ///
    /// # Errors
    /// `GRAPHQL_VALIDATION_FAILED`, an error for each violation.
    pub fn validate(
        &self,
        query: &str,
        suggestions: Option<&TypeMap>,
    ) -> Result<Valid<ExecutableDocument>, Vec<ServerError>> {
        ExecutableDocument::parse_and_validate(&self.schema, query, "document").map_err(|invalid| {
            let mut errors: Vec<GraphQLError> = invalid.errors.iter().map(|error| error.to_json()).collect();
            // A field whose only selection is invalid is reported a second time, as if it had none.
            if errors.iter().any(|error| !is_without_selection(error)) {
                errors.retain(|error| !is_without_selection(error));
            }
            errors.into_iter().take(MOST_ERRORS).map(|error| violation(error, query, suggestions)).collect()
        })
    }

    /// Checks the values of the variables of an operation.
    ///
    /// # Errors
    /// `GRAPHQL_VALIDATION_FAILED`: a required variable has no value, or a value is not of the variable's type.
    pub fn check_variables(
        &self,
        document: &Valid<ExecutableDocument>,
        operation: Option<&str>,
        variables: &Variables,
    ) -> Result<(), ServerError> {
        let Ok(operation) = document.operations.get(operation) else { return Ok(()) };
        let values = serde_json::to_value(variables).ok().and_then(|values| serde_json_bytes::to_value(values).ok());
        let Some(serde_json_bytes::Value::Object(values)) = values else { return Ok(()) };
        let values: JsonMap = values;
        coerce_variable_values(&self.schema, operation, &values)
            .map(drop)
            .map_err(|error| violation(error.to_graphql_error(&document.sources), "", None))
    }
}

fn is_without_selection(error: &GraphQLError) -> bool {
    error.message.ends_with("must have a subselection set")
}

fn violation(error: GraphQLError, query: &str, suggestions: Option<&TypeMap>) -> ServerError {
    let mut message = match name_at(query, error.locations.first()) {
        Some(field) if is_without_selection(&error) => format!("The field `{field}` needs a selection of subfields."),
        _ => sentence(&error.message),
    };
    if let Some(similar) = suggestions.and_then(|type_map| similar_field(type_map, &error.message)) {
        message.push_str(&format!(" Did you mean `{similar}`?"));
    }
    let mut violation = request_error(FAILED, message);
    let position = |at: &LineColumn| Pos { line: at.line, column: at.column };
    violation.locations = error.locations.iter().map(position).collect();
    violation
}

/// Returns the name at a position of the document.
fn name_at<'a>(query: &'a str, at: Option<&LineColumn>) -> Option<&'a str> {
    let at = at?;
    let line = query.lines().nth(at.line.checked_sub(1)?)?;
    let (start, _) = line.char_indices().nth(at.column.checked_sub(1)?)?;
    let rest = line.get(start..)?;
    rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().filter(|name| !name.is_empty())
}

/// Makes a sentence of a diagnostic, which may quote any part of the document.
fn sentence(diagnostic: &str) -> String {
    let mut letters = diagnostic.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let rest = letters.as_str().trim_end_matches('.');
    match rest.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{first}{}…", rest.get(..end).unwrap_or_default()),
        None => format!("{first}{rest}."),
    }
}

/// Returns the name of a field that is similar to the unknown one of a diagnostic.
fn similar_field<'a>(type_map: &'a TypeMap, diagnostic: &str) -> Option<&'a str> {
    let (ty, field) = diagnostic.strip_prefix("type `")?.split_once("` does not have a field `")?;
    // The work grows with the length of the name, and no field is as long.
    let field = field.strip_suffix('`').filter(|field| field.len() <= LONGEST_NAME)?;
    let distance = |known: &&str| strsim::osa_distance(field, known);
    type_map.fields(ty).min_by_key(distance).filter(|known| distance(known) <= 1 + field.len() / 5)
}
