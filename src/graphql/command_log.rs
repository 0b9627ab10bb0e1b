//! One line in the log for each mutation, at DEBUG.
//!
//! It has the ids in the input and in the selected payload, and no other value. Its target is the feature, so
//! `LYCEUM_LOG=lyceum::media=debug` shows the mutations of videos and files. The `log` crate is used because its
//! targets, unlike those of `tracing`, need not be constants.

use std::collections::BTreeSet;

use async_graphql::{Context, ServerResult, Value};

use super::id;

/// How deep to look for ids: in `input` and its lists, and in the objects of a payload.
const DEPTH: usize = 3;

/// Logs that the root field of `ctx` was resolved by `feature`, such as `lyceum::media`.
pub(crate) fn resolved(feature: &str, ctx: &Context<'_>, outcome: &ServerResult<Option<Value>>) {
    if !log::log_enabled!(target: feature, log::Level::Debug) {
        return;
    }
    let mut ids = BTreeSet::new();
    for (name, value) in ctx.field().arguments().unwrap_or_default() {
        collect(&name, &value, DEPTH, &mut ids);
    }
    let outcome = match outcome {
        Ok(value) => {
            value.iter().for_each(|value| collect("", value, DEPTH, &mut ids));
            "resolved"
        }
        Err(_) => "failed",
    };
    let ids = ids.into_iter().collect::<Vec<_>>().join(" ");
    log::debug!(target: feature, "{} {outcome}: {ids}", ctx.item.node.name.node);
}

/// Adds the ids in the fields of `value` that are named like ids.
fn collect(name: &str, value: &Value, depth: usize, ids: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if is_id(name) && id::split(text).is_some() => {
            ids.insert(text.clone());
        }
        Value::List(items) if depth > 0 => items.iter().for_each(|item| collect(name, item, depth - 1, ids)),
        Value::Object(fields) if depth > 0 => {
            fields.iter().for_each(|(name, value)| collect(name, value, depth - 1, ids));
        }
        _ => {}
    }
}

fn is_id(name: &str) -> bool {
    name == "id" || name.ends_with("Id") || name.ends_with("Ids")
}

#[cfg(test)]
mod tests {
    use async_graphql::value;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn ids_are_logged_and_nothing_else() {
        let [course, lesson, user] = ["course", "lesson", "user"].map(|prefix| id::encode(prefix, Uuid::from_u128(7)));
        let input = value!({
            "courseId": (course.clone()), "lessonIds": [(lesson.clone())], "password": (user.clone()), "tokenId": "secret",
        });
        let payload = value!({ "user": { "id": (user.clone()), "name": (lesson.clone()) }, "userErrors": [] });
        let mut ids = BTreeSet::new();
        collect("input", &input, DEPTH, &mut ids);
        assert_eq!(ids, [course, lesson].into(), "passwords and what is no id are left out");
        ids.clear();
        collect("", &payload, DEPTH, &mut ids);
        assert_eq!(ids, [user].into());
    }
}
