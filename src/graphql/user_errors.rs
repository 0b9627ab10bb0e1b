//! The user errors that each mutation can return: a part of its description in the schema.
//!
//! `user_errors.txt` has a line with the codes for each mutation. In debug builds, which the tests use, a mutation that
//! returns another code panics, so that the list stays complete.

use async_graphql::{ServerResult, Value};

const LISTED: &str = include_str!("user_errors.txt");
/// Payload, results of a bulk mutation, result, user errors, user error.
const DEPTH: usize = 5;

/// Returns the codes that the mutation can return, in the order of the enum; `None` if it is not in the list.
fn codes(mutation: &str) -> Option<impl Iterator<Item = &'static str>> {
    let line = LISTED.lines().find_map(|line| line.strip_prefix(mutation)?.strip_prefix(':'))?;
    Some(line.split_whitespace())
}

/// Returns the sentence about the mutation's user errors for its description.
pub(crate) fn sentence(mutation: &str) -> String {
    let listed: Vec<&str> = codes(mutation).into_iter().flatten().collect();
    match listed.as_slice() {
        [] => "User error codes: none.".to_owned(),
        listed => format!("User error codes: {}.", listed.join(", ")),
    }
}

/// Panics if the payload has a user error with a code that is not in the list.
pub(crate) fn check(mutation: &str, outcome: &ServerResult<Option<Value>>) {
    let Ok(Some(payload)) = outcome else { return };
    let mut returned = Vec::new();
    collect(payload, false, DEPTH, &mut returned);
    for code in returned {
        let is_listed = codes(mutation).is_some_and(|mut listed| listed.any(|listed| listed == code));
        assert!(is_listed, "src/graphql/user_errors.txt lacks the code {code} of {mutation}");
    }
}

/// Adds the codes in the lists `userErrors` of a payload, in whose items it is if `within`.
fn collect<'a>(value: &'a Value, within: bool, depth: usize, codes: &mut Vec<&'a str>) {
    match value {
        Value::List(items) if depth > 0 => items.iter().for_each(|item| collect(item, within, depth - 1, codes)),
        Value::Object(fields) if depth > 0 => {
            for (name, value) in fields {
                match value {
                    Value::Enum(code) if within && name == "code" => codes.push(code),
                    Value::List(_) => collect(value, name == "userErrors", depth - 1, codes),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::Name;

    use super::*;

    #[test]
    fn codes_of_results_are_found_and_others_are_not() {
        let error = |code: &str| Value::from_json(serde_json::json!({ "field": ["x"] })).map(|value| with(value, code));
        let payload = Value::Object(
            [
                (Name::new("userErrors"), Value::List(vec![error("BLANK").unwrap()])),
                (Name::new("thing"), with(Value::Object(Default::default()), "TAKEN")),
                (
                    Name::new("results"),
                    Value::List(vec![Value::Object(
                        [(Name::new("userErrors"), Value::List(vec![error("INVALID").unwrap()]))].into_iter().collect(),
                    )]),
                ),
            ]
            .into_iter()
            .collect(),
        );
        let mut found = Vec::new();
        collect(&payload, false, DEPTH, &mut found);
        found.sort_unstable();
        assert_eq!(found, ["BLANK", "INVALID"]);
    }

    fn with(value: Value, code: &str) -> Value {
        let Value::Object(mut fields) = value else { panic!("{value}") };
        fields.insert(Name::new("code"), Value::Enum(Name::new(code)));
        Value::Object(fields)
    }
}
