//! The form of what the platform holds on a person, for themselves. Each feature makes its part; [`schema`] puts the
//! parts together.
//!
//! [`schema`]: super::schema

use serde_json::{Value, json};

/// The most items of one kind; an export is one response.
const MOST: usize = 1000;
/// How many rows to ask the database for, to know whether there are more than [`items`] gives out.
pub const FETCH: i64 = MOST as i64 + 1;

/// Items of one kind, and whether that is all of them.
pub fn items(found: impl IntoIterator<Item = Value>) -> Value {
    let mut items: Vec<Value> = found.into_iter().collect();
    let complete = items.len() <= MOST;
    items.truncate(MOST);
    json!({ "items": items, "complete": complete })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_admitted() {
        let whole = items((0..MOST).map(Value::from));
        assert_eq!((whole["items"].as_array().unwrap().len(), &whole["complete"]), (MOST, &json!(true)));
        let cut = items((0..=MOST).map(Value::from));
        assert_eq!((cut["items"].as_array().unwrap().len(), &cut["complete"]), (MOST, &json!(false)));
        assert_eq!(items([]), json!({ "items": [], "complete": true }));
    }
}
