//! Full-text search.

use std::collections::HashSet;

use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::{TestApp, User};

const SEARCH: &str =
    "query ($query: String!, $filter: CourseFilter, $first: Int, $last: Int, $after: String, $before: String) {
    searchCourses(query: $query, filter: $filter, first: $first, last: $last, after: $after, before: $before) {
        totalCount edges { cursor node { course { title } } }
        nodes { course { title } titleHighlight { text isMatch } snippet { text isMatch } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";

async fn school() -> (TestApp, User) {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    (app, ada)
}

/// A published course with these texts.
async fn course(app: &TestApp, ada: &User, title: &str, subtitle: &str, tags: &[&str], description: &str) -> String {
    let course = app.course(ada, title, 1).await;
    let input = json!({ "courseId": course.id, "subtitle": subtitle, "description": description });
    // By hand: others see to versions.
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let tags = tags.iter().map(|tag| quoted(tag)).collect::<Vec<_>>().join(", ");
    let (subtitle, description) = (quoted(input["subtitle"].as_str().unwrap()), quoted(description));
    let slug = &course.slug;
    app.sql(&format!(
        "UPDATE courses SET subtitle = {subtitle}, tags = ARRAY[{tags}]::text[], description = {description} WHERE slug = '{slug}'"
    ))
    .await;
    app.forget_rows();
    course.id
}

async fn page(app: &TestApp, arguments: Value) -> Value {
    app.data(None, SEARCH, arguments).await["searchCourses"].take()
}

fn titles(page: &Value) -> Vec<&str> {
    page["nodes"].as_array().unwrap().iter().map(|node| node["course"]["title"].as_str().unwrap()).collect()
}

async fn found(app: &TestApp, query: &str) -> Vec<String> {
    let page = page(app, json!({ "query": query })).await;
    assert_eq!(page["totalCount"], titles(&page).len(), "{page:#}");
    titles(&page).into_iter().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_title_counts_more_than_the_subtitle_the_tags_and_the_description() {
    let (app, ada) = school().await;
    course(&app, &ada, "D", "Nothing", &["none"], "Here is some gardening for all, gardening and gardening.").await;
    course(&app, &ada, "A gardening course", "Nothing", &["none"], "Nothing.").await;
    course(&app, &ada, "C", "Nothing", &["gardening"], "Nothing.").await;
    course(&app, &ada, "B", "With gardening", &["none"], "Nothing.").await;
    course(&app, &ada, "E", "Nothing", &["none"], "Nothing.").await;
    assert_eq!(found(&app, "gardening").await, ["A gardening course", "B", "C", "D"]);
    assert_eq!(found(&app, "gardening course").await, ["A gardening course"], "all words");
    assert_eq!(found(&app, "nothing gardening").await.len(), 4, "wherever they are");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beginnings_accents_signs_and_mistakes_are_forgiven() {
    let (app, ada) = school().await;
    for title in
        ["Programming in Rust", "Größere Gärten", "C++ für alle", "C# basics", "Trusted advisors", "Введение в Python"]
    {
        course(&app, &ada, title, "", &[], "").await;
    }
    for (query, expected) in [
        ("progr", &["Programming in Rust"][..]),
        ("PROGRAMMING", &["Programming in Rust"]),
        ("rust progr", &["Programming in Rust"]),
        ("programing", &["Programming in Rust"]),
        ("progarmming", &["Programming in Rust"]),
        ("prgoramming rust", &["Programming in Rust"]),
        ("grossere garten", &["Größere Gärten"]),
        ("GRÖSSERE", &["Größere Gärten"]),
        ("gaerten", &["Größere Gärten"]),
        ("c++", &["C++ für alle"]),
        ("c#", &["C# basics"]),
        ("c", &[]),
        ("rust p", &["Programming in Rust"]),
        ("c# r", &["C# basics"]),
        ("rust", &["Programming in Rust"]),
        ("trust", &["Trusted advisors"]),
        ("введение", &["Введение в Python"]),
        ("ВВЕД", &["Введение в Python"]),
        ("pyhton", &["Введение в Python"]),
        ("cooking", &[]),
    ] {
        assert_eq!(found(&app, query).await, expected, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_word_as_it_was_typed_comes_before_longer_ones() {
    let (app, ada) = school().await;
    for title in ["Javanese music", "Java", "Javascript"] {
        course(&app, &ada, title, "", &[], "").await;
    }
    assert_eq!(found(&app, "java").await[0], "Java");
    assert_eq!(found(&app, "java").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_found_is_marked_and_nothing_of_it_is_html() {
    let (app, ada) = school().await;
    let hostile = "<script>alert('rust')</script> & <b>Rust</b> \" 'x";
    course(
        &app,
        &ada,
        hostile,
        "",
        &[],
        "# Intro\n\nAll of **Rust**, see [more](javascript:alert(1)) <img src=x onerror=alert(1)>",
    )
    .await;
    let page = page(&app, json!({ "query": "rust" })).await;
    let node = &page["nodes"][0];
    let parts = |field: &str| -> Vec<(String, bool)> {
        let parts = node[field].as_array().unwrap().iter();
        parts.map(|part| (part["text"].as_str().unwrap().to_owned(), part["isMatch"] == true)).collect()
    };
    let title = parts("titleHighlight");
    assert_eq!(title.iter().map(|(text, _)| text.as_str()).collect::<String>(), hostile, "the text itself, unchanged");
    let marked: Vec<&str> = title.iter().filter(|(_, found)| *found).map(|(text, _)| text.as_str()).collect();
    assert_eq!(marked, ["rust", "Rust"]);
    let snippet: String =
        parts("snippet").into_iter().map(|(text, found)| if found { format!("[{text}]") } else { text }).collect();
    assert!(snippet.starts_with("Intro All of [Rust], see more"), "{snippet}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_text_makes_the_search_fail() {
    let (app, ada) = school().await;
    course(&app, &ada, "Rust", "", &["x"], "The best.").await;
    let long = "rust ".repeat(2000);
    let word = "r".repeat(10_000);
    let quotes = "'".repeat(500);
    for (query, count) in [
        ("", 0),
        ("   ", 0),
        ("\0", 0),
        ("ru\0st", 0),
        ("rust\0", 1),
        ("'", 0),
        ("rust'", 1),
        ("rust & !best | (", 1),
        ("rust:*", 1),
        ("rust:A", 1),
        ("' OR 1=1 --", 0),
        ("\\", 0),
        ("rust\\", 1),
        ("%", 0),
        ("$1 rust", 0),
        ("{} rust", 1),
        ("<->", 0),
        ("🦀", 0),
        ("🦀 rust 🦀", 1),
        ("the", 1),
        ("\u{202e}rust\u{feff}", 1),
        ("\u{300}\u{301}", 0),
        ("null", 0),
        (&long, 1),
        (&word, 0),
        (&quotes, 0),
    ] {
        let shown: String = query.chars().take(40).collect();
        let answer = app.send(None, SEARCH, json!({ "query": query })).await;
        assert!(answer.get("errors").is_none(), "{shown:?} {answer:#}");
        assert_eq!(answer["data"]["searchCourses"]["totalCount"], count, "{shown:?}");
        let filtered = "query ($query: String) { courses(filter: { query: $query }) { totalCount } }";
        let answer = app.send(None, filtered, json!({ "query": query })).await;
        assert!(answer.get("errors").is_none(), "{shown:?} {answer:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_found_is_gone_through_once_in_either_direction() {
    let (app, ada) = school().await;
    app.course(&ada, "Rust template", 1).await;
    app.sql(
        "INSERT INTO courses (id, slug, title, description, instructor_id, published_at, created_at, updated_at)
        SELECT gen_random_uuid(), 'c-' || n, repeat('Rust ', 1 + n % 3) || n, repeat('more rust ', n % 4), instructor_id,
            published_at, created_at, updated_at FROM courses, generate_series(1, 44) AS n",
    )
    .await;
    app.forget_rows();
    let whole = page(&app, json!({ "query": "rust", "first": 100 })).await;
    let expected: Vec<&str> = titles(&whole);
    assert_eq!((expected.len(), &whole["totalCount"]), (45, &json!(45)));
    for size in [1, 7, 44, 45] {
        for backward in [false, true] {
            let (count, cursor, more, end) = match backward {
                true => ("last", "before", "hasPreviousPage", "startCursor"),
                false => ("first", "after", "hasNextPage", "endCursor"),
            };
            let (mut seen, mut place): (Vec<String>, Value) = (Vec::new(), Value::Null);
            loop {
                let page = page(&app, json!({ "query": "Rust!", count: size, cursor: place })).await;
                let titles = titles(&page).into_iter().map(str::to_owned);
                match backward {
                    true => drop(seen.splice(0..0, titles)),
                    false => seen.extend(titles),
                }
                if page["pageInfo"][more] == false || seen.len() > 100 {
                    break;
                }
                place = page["pageInfo"][end].clone();
            }
            assert_eq!(seen, expected, "{size} at once, backward: {backward}");
        }
    }
    let cursor = &whole["pageInfo"]["startCursor"];
    let other = app.send(None, SEARCH, json!({ "query": "template", "after": cursor })).await;
    assert_eq!(other["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{other:#}");
    assert!(other["errors"][0]["message"].as_str().unwrap().contains("searchCourses(\"rust\")"), "{other:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drafts_and_what_is_archived_are_never_found_and_changes_are_found_at_once() {
    let (app, ada) = school().await;
    let draft = app.course(&ada, "Secret gardens", 0).await;
    let archived = course(&app, &ada, "Archived gardens", "", &[], "").await;
    app.sql("UPDATE courses SET archived_at = now(), published_at = NULL WHERE title = 'Archived gardens'").await;
    app.forget_rows();
    for query in ["secret", "gardens", "garden", "gardns", "archived", "secrte"] {
        assert_eq!(found(&app, query).await, [""; 0], "{query}");
        let own = app.data(Some(&ada.token), SEARCH, json!({ "query": query })).await;
        assert_eq!(own["searchCourses"]["totalCount"], 0, "the catalog is the same for its instructor: {query}");
    }
    assert!(!archived.is_empty());
    let lesson = app.lesson(&ada, &draft, "First").await;
    app.publish(&ada, &lesson).await;
    app.mutate(&ada, "publishCourse", "course { id }", json!({ "courseId": draft.id })).await;
    assert_eq!(found(&app, "gardns").await, ["Secret gardens"]);
    app.sql("UPDATE courses SET title = 'Public parks' WHERE title = 'Secret gardens'").await;
    app.forget_rows();
    assert_eq!((found(&app, "parks").await.len(), found(&app, "gardens").await.len()), (1, 0));
    app.sql("DELETE FROM lessons; DELETE FROM sections; DELETE FROM courses").await;
    app.forget_rows();
    assert_eq!(found(&app, "parks").await.len(), 0);
    assert_eq!(app.sql("SELECT count(*) FROM course_texts").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filtered_searched_page_is_a_constant_number_of_statements() {
    let (app, ada) = school().await;
    app.course(&ada, "Rust template", 1).await;
    app.sql(
        "INSERT INTO categories VALUES ('00000000-0000-4000-8000-000000000001', NULL, 'c', 'C', 1, now(), now());
        INSERT INTO courses (id, slug, title, description, instructor_id, category_id, published_at, created_at, updated_at)
        SELECT gen_random_uuid(), 'c-' || n, 'Rust ' || n, 'All of it.', instructor_id, categories.id,
            published_at, courses.created_at, courses.updated_at FROM courses, categories, generate_series(1, 2000) AS n;
        ANALYZE courses, course_texts",
    )
    .await;
    app.forget_rows();
    let category = lyceum::catalog::CategoryId::new("00000000-0000-4000-8000-000000000001".parse().unwrap()).encode();
    let query = "query ($first: Int, $category: ID, $words: String!) {
        searchCourses(query: $words, filter: { categoryId: $category, isFree: true }, first: $first) {
            totalCount nodes { course { title instructor { name } } titleHighlight { text } snippet { text } } } }";
    let mut seen = HashSet::new();
    for (first, words) in [(1, "rust"), (20, "rust"), (100, "rust"), (20, "rust all of it"), (20, "rsut")] {
        let variables = json!({ "first": first, "category": category, "words": words });
        let data = app.data(None, query, variables.clone()).await;
        // Of the 2,000 matches, all in the title, a thousand are ranked.
        assert_eq!(data["searchCourses"]["totalCount"], 1000, "{words}");
        seen.insert(app.statements(None, query, variables).await);
    }
    // near words, categories, matches in the title, others, courses, instructors, descriptions
    assert_eq!(seen, HashSet::from([7]));
    let kept = json!({ "first": 20, "category": category, "words": "rust" });
    app.data(None, query, kept.clone()).await;
    let before = app.app.db.statements();
    app.data(None, query, kept).await;
    assert!(app.app.db.statements() - before <= 7, "kept, unless a second has passed");
}
