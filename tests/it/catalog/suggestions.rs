//! Suggestions for a search box, and searches for channels and instructors.

use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::{TestApp, User};

const SUGGEST: &str = "query ($query: String!, $first: Int! = 8) { searchSuggestions(query: $query, first: $first) {
    __typename ... on Course { title } ... on Channel { label: name } ... on Category { name }
    ... on User { user: name } } }";

async fn suggested(app: &TestApp, query: &str, first: i32) -> Vec<String> {
    let data = app.data(None, SUGGEST, json!({ "query": query, "first": first })).await;
    let shown = |one: &Value| {
        let name = ["title", "label", "name", "user"].iter().find_map(|field| one[field].as_str()).unwrap();
        format!("{} {name}", one["__typename"].as_str().unwrap())
    };
    data["searchSuggestions"].as_array().unwrap().iter().map(shown).collect()
}

/// The names that a search of this field finds, page by page, in either direction.
async fn found(app: &TestApp, field: &str, query: &str) -> Vec<String> {
    let text = format!(
        "query ($query: String!, $first: Int, $last: Int, $after: String, $before: String) {{
        {field}(query: $query, first: $first, last: $last, after: $after, before: $before) {{ totalCount
        nodes {{ name }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
    );
    let mut both = Vec::new();
    for (size, cursor, more, end) in
        [("first", "after", "hasNextPage", "endCursor"), ("last", "before", "hasPreviousPage", "startCursor")]
    {
        let (mut seen, mut place): (Vec<String>, Value) = (Vec::new(), Value::Null);
        loop {
            let page = app.data(None, &text, json!({ "query": query, size: 2, cursor: place })).await[field].take();
            let names = page["nodes"].as_array().unwrap().iter().map(|node| node["name"].as_str().unwrap().to_owned());
            match size {
                "first" => seen.extend(names),
                _ => drop(seen.splice(0..0, names)),
            }
            if page["pageInfo"][more] == false {
                assert_eq!(page["totalCount"], seen.len(), "{query}");
                break;
            }
            place = page["pageInfo"][end].clone();
        }
        both.push(seen);
    }
    assert_eq!(both[0], both[1], "{query}");
    both.remove(0)
}

async fn category(app: &TestApp, root: &User, name: &str) {
    app.mutate(root, "createCategory", "category { id }", json!({ "name": name })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn courses_channels_categories_and_instructors_are_suggested_while_typing() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    let rusty = app.user("Rusty", Role::Instructor).await;
    app.course(&rusty, "Programming in Rust", 1).await;
    app.course(&rusty, "Rust for all", 1).await;
    app.course(&rusty, "Popular Rust", 1).await;
    app.course(&rusty, "Cooking", 1).await;
    app.course(&rusty, "Rust in secret", 0).await;
    app.sql("UPDATE courses SET popularity = 7 WHERE title LIKE 'Popular%'").await;
    category(&app, &root, "All of Rust").await;
    category(&app, &root, "Cooking").await;
    // A channel and instructors without a published course.
    app.mutate(&rusty, "createChannel", "channel { id }", json!({ "name": "Rust empty" })).await;
    let drafter = app.user("Rustam", Role::Instructor).await;
    app.course(&drafter, "Draft", 0).await;
    app.user("Rustica", Role::Student).await;
    app.forget_rows();
    let expected = [
        "Channel Rusty",
        "User Rusty",
        "Course Rust for all",
        "Category All of Rust",
        "Course Popular Rust",
        "Course Programming in Rust",
    ];
    for query in ["rust", "  RÜST ", "Rus"] {
        assert_eq!(suggested(&app, query, 8).await, expected, "{query}");
    }
    assert_eq!(
        suggested(&app, "rust", 4).await,
        ["Channel Rusty", "User Rusty", "Course Rust for all", "Category All of Rust"]
    );
    assert_eq!(suggested(&app, "rust", 1).await, ["Channel Rusty"]);
    assert_eq!(suggested(&app, "rust in", 8).await, ["Course Programming in Rust"], "all words");
    assert_eq!(suggested(&app, "cook", 8).await, ["Category Cooking", "Course Cooking"]);
    assert_eq!(suggested(&app, "secret", 8).await, [""; 0], "a draft");
    let long = "x".repeat(5000);
    let words = "rust ".repeat(2000);
    for query in ["", "  ", "%", "_", "\\", "ru%", "r_st", "rust\\", "'", "\0", "🦀", "null", &long] {
        let found = suggested(&app, query, 20).await;
        let is_rust = ["ru%", "rust\\"].contains(&query);
        assert_eq!(!found.is_empty(), is_rust, "{:?} {found:?}", query.chars().take(9).collect::<String>());
    }
    assert_eq!(suggested(&app, &words, 8).await.len(), 6);
    for first in [0, 21, -1] {
        let answer = app.send(None, SUGGEST, json!({ "query": "rust", "first": first })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn banned_deleted_and_demoted_users_are_not_found() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    for name in ["Ada", "Adam", "Adele", "Adrian"] {
        let user = app.user(name, Role::Instructor).await;
        app.course(&user, &format!("Course of {name}"), 1).await;
    }
    let search = "{ searchInstructors(query: \"ad\") { nodes { id name } } }";
    let data = app.data(None, search, json!({})).await;
    let nodes = data["searchInstructors"]["nodes"].as_array().unwrap().clone();
    assert_eq!(nodes.len(), 4);
    let id = |name: &str| nodes.iter().find(|node| node["name"] == name).unwrap()["id"].clone();
    // Right after it was read: the cached value is stale.
    app.mutate(&root, "banUser", "user { id }", json!({ "userId": id("Ada"), "reason": "Spam" })).await;
    assert_eq!(found(&app, "searchInstructors", "ad").await, ["Adam", "Adele", "Adrian"]);
    app.mutate(&root, "changeUserRole", "user { id }", json!({ "userId": id("Adam"), "role": "STUDENT" })).await;
    app.sql("UPDATE users SET role = 'STUDENT', password_hash = NULL, deleted_at = now() WHERE name = 'Adele'").await;
    app.forget_rows();
    assert_eq!(found(&app, "searchInstructors", "ad").await, ["Adrian"]);
    let users: Vec<String> =
        suggested(&app, "ad", 20).await.into_iter().filter(|shown| shown.starts_with("User")).collect();
    assert_eq!(users, ["User Adrian"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn channels_and_instructors_are_found_by_the_words_of_their_names() {
    let app = TestApp::start().await;
    let mut instructors = Vec::new();
    for (number, name) in ["Björn Åkesson", "bjorn borg", "Jean-Luc", "Zoë Bjork", "O'Brien"].iter().enumerate() {
        let user = app.user(&format!("u{number}"), Role::Instructor).await;
        let quoted = name.replace('\'', "''");
        app.sql(&format!("UPDATE users SET name = '{quoted}' WHERE name = 'u{number}'")).await;
        app.course(&user, &format!("Course {number}"), 1).await;
        instructors.push(user);
    }
    app.mutate(&instructors[0], "createChannel", "channel { id }", json!({ "name": "Bjorn without courses" })).await;
    app.forget_rows();
    for field in ["searchChannels", "searchInstructors"] {
        for (query, expected) in [
            ("bjor", &["bjorn borg", "Björn Åkesson", "Zoë Bjork"][..]),
            ("BJÖRN", &["bjorn borg", "Björn Åkesson"]),
            ("akesson bjorn", &["Björn Åkesson"]),
            ("luc", &["Jean-Luc"]),
            ("jean-luc", &["Jean-Luc"]),
            ("brien", &["O'Brien"]),
            ("o'brien", &["O'Brien"]),
            ("nobody", &[]),
            ("%", &[]),
            ("", &[]),
            ("\0\\_'", &[]),
        ] {
            assert_eq!(found(&app, field, query).await, expected, "{field} {query}");
        }
        let other = json!({ "after": "x" });
        let text = format!("query ($after: String) {{ {field}(query: \"bjor\", after: $after) {{ totalCount }} }}");
        assert_eq!(app.send(None, &text, other).await["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    }
    assert_eq!(found(&app, "searchInstructors", "borg").await, ["bjorn borg"]);
    let rename = json!({ "name": "Bjarne" });
    app.mutate(&instructors[1], "updateProfile", "user { id }", rename).await;
    assert_eq!(found(&app, "searchInstructors", "borg").await, [""; 0], "at once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suggestions_take_the_same_statements_however_many_there_are() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    category(&app, &root, "Looms").await;
    let first = app.user("Loom", Role::Instructor).await;
    app.course(&first, "Loom 0", 1).await;
    app.forget_rows();
    let count = async || app.statements(None, SUGGEST, json!({ "query": "loom", "first": 20 })).await;
    let few = count().await;
    for number in 1..8 {
        let user = app.user(&format!("Loom{number}"), Role::Instructor).await;
        app.course(&user, &format!("Loom {number}"), 1).await;
    }
    // Names that did not match before are found after a second.
    app.forget_rows();
    assert_eq!(suggested(&app, "loom", 20).await.len(), 1 + 5 + 5 + 8);
    // Words, categories, courses, channels, instructors; the courses' rows; who teaches and what has courses.
    assert_eq!((few, count().await), (8, 8));
}
