//! The format of a user's personal data export. Each feature produces its part; `schema.rs` combines the parts.

use serde_json::{Value, json};

/// The maximum number of items of one kind, because an export is a single response.
const MOST: usize = 1000;
/// How many rows to fetch: one more than [`items`] returns, to detect that there are more.
pub const FETCH: i64 = MOST as i64 + 1;

/// Formats the items of one kind, and whether the list is complete.
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
