//! Names in addresses.

use futures_util::future::join_all;
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::{TestApp, User};

async fn create(app: &TestApp, user: &User, input: Value) -> Value {
    let query = "mutation ($input: CreateCourseInput!) { createCourse(input: $input) {
        course { id slug } userErrors { code field message } } }";
    app.data(Some(&user.token), query, json!({ "input": input })).await["createCourse"].take()
}

async fn slug_of(app: &TestApp, user: &User, title: &str) -> String {
    let made = create(app, user, json!({ "title": title })).await;
    made["course"]["slug"].as_str().unwrap_or_else(|| panic!("{title}: {made:#}")).to_owned()
}

fn refusal(payload: &Value) -> (&str, &Value) {
    (payload["userErrors"][0]["code"].as_str().unwrap_or_default(), &payload["userErrors"][0]["field"])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slug_is_made_of_the_title_in_any_script() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    for (title, slug) in [
        ("Analytical Engines", "analytical-engines"),
        ("  C++ & Rust: a *comparison* -- ", "c-rust-a-comparison"),
        ("Ökonomie für Anfänger", "okonomie-fur-anfanger"),
        ("Курс по Rust", "kurs-po-rust"),
        ("2026", "2026"),
        ("!!!", "course"),
        ("— … —", "course-2"),
    ] {
        assert_eq!(slug_of(&app, &ada, title).await, slug, "{title}");
    }
    for title in
        ["日本語のコース", "🎓 🦀", "دورة", "İstanbul ǅ ﬃ", &"x".repeat(120), &"長".repeat(120), &"a ".repeat(60)]
    {
        let slug = slug_of(&app, &ada, title).await;
        let plain = slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        assert!(plain && !slug.starts_with('-') && !slug.ends_with('-') && !slug.contains("--"), "{title}: {slug}");
        assert!((1..=80).contains(&slug.len()), "{title}: {slug}");
        let found =
            app.data(Some(&ada.token), "query ($s: String!) { course(slug: $s) { slug } }", json!({ "s": slug })).await;
        assert_eq!(found["course"]["slug"], slug, "{title}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn courses_with_the_same_title_are_numbered_around_what_others_chose() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("Ada", Role::Instructor).await, app.user("Bob", Role::Instructor).await);
    assert_eq!(slug_of(&app, &ada, "Rust").await, "rust");
    assert_eq!(slug_of(&app, &bob, "Rust!").await, "rust-2");
    for chosen in ["rust-3", "rust-4294967295", "rust-99999999999999999999", "rust-for-all"] {
        let made = create(&app, &bob, json!({ "title": "x", "slug": chosen })).await;
        assert_eq!(made["course"]["slug"], chosen, "{made:#}");
    }
    assert_eq!(slug_of(&app, &ada, "RUST").await, "rust-4");
    assert_eq!(slug_of(&app, &ada, "Rust").await, "rust-5");
    assert_eq!(slug_of(&app, &ada, &"y".repeat(120)).await.len(), 72);
    assert_eq!(slug_of(&app, &ada, &"y".repeat(120)).await.len(), 74, "there is room for a number");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chosen_slug_is_taken_as_it_is_or_refused() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let field = json!(["slug"]);
    for wrong in ["Rust", "rust lang", "rust--lang", "-rust", "rust-", "rust_lang", "r\u{fc}st", "rust/lang", "💥", "."]
    {
        let made = create(&app, &ada, json!({ "title": "x", "slug": wrong })).await;
        assert_eq!(refusal(&made), ("INVALID", &field), "{wrong}: {made:#}");
    }
    for (wrong, code) in [("", "BLANK"), (" ", "BLANK"), (&*"x".repeat(81), "TOO_LONG")] {
        let made = create(&app, &ada, json!({ "title": "x", "slug": wrong })).await;
        assert_eq!(refusal(&made), (code, &field), "{wrong}: {made:#}");
    }
    let first = create(&app, &ada, json!({ "title": "x", "slug": "rust-1" })).await;
    assert_eq!(first["course"]["slug"], "rust-1");
    let second = create(&app, &ada, json!({ "title": "x", "slug": "rust-1" })).await;
    assert_eq!(refusal(&second), ("TAKEN", &field));
    assert_eq!(second["course"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_slug_must_be_free_too_but_may_stay_the_same() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let (one, two) = (app.course(&ada, "One", 0).await, app.course(&ada, "Two", 0).await);
    let update = "mutation ($input: UpdateCourseInput!) { updateCourse(input: $input) {
        course { slug } userErrors { code field } } }";
    for (slug, code) in [("one", ""), ("two", "TAKEN"), ("Two", "INVALID"), ("", "BLANK"), ("three", "")] {
        let input = app.current(&ada, json!({ "courseId": one.id, "slug": slug })).await;
        let data = app.data(Some(&ada.token), update, json!({ "input": input })).await;
        let payload = &data["updateCourse"];
        assert_eq!(payload["userErrors"][0]["code"].as_str().unwrap_or_default(), code, "{slug}: {payload:#}");
    }
    for (slug, code) in [("one", "TAKEN"), ("free", "")] {
        let input = app.current(&ada, json!({ "courseId": two.id, "slug": slug })).await;
        let data = app.data(Some(&ada.token), update, json!({ "input": input })).await;
        let code_found = data["updateCourse"]["userErrors"][0]["code"].as_str().unwrap_or_default();
        assert_eq!(code_found, code, "what leads to another course still is not free");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_slug_leads_to_its_course_and_nobody_else_takes_it() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.user("Ada", Role::Instructor).await, app.user("Bob", Role::Instructor).await);
    let course = app.course(&ada, "One", 1).await;
    let draft = app.course(&ada, "Secret", 0).await;
    let by_slug = "query ($slug: String!) { course(slug: $slug) { id slug } }";
    let find = async |slug: &str| app.data(None, by_slug, json!({ "slug": slug })).await["course"].take();
    assert_eq!(find("two").await, Value::Null, "known to be nowhere, for a moment");
    for slug in ["two", "three"] {
        app.edit(&ada, "updateCourse", "course { id }", json!({ "courseId": course.id, "slug": slug })).await;
        app.edit(&ada, "updateCourse", "course { id }", json!({ "courseId": draft.id, "slug": format!("x-{slug}") }))
            .await;
    }
    for slug in ["one", "two", "three"] {
        assert_eq!(find(slug).await, json!({ "id": course.id, "slug": "three" }), "{slug}");
    }
    for slug in ["secret", "x-two", "x-three", "four"] {
        assert_eq!(find(slug).await, Value::Null, "{slug}");
    }
    let both =
        "{ a: course(slug: \"one\") { slug } b: course(slug: \"three\") { slug } c: course(slug: \"two\") { slug } }";
    assert_eq!(app.statements(None, both, json!({})).await, 2, "however many, old and new");
    let one = "{ a: course(slug: \"three\") { slug } }";
    assert_eq!(app.statements(None, one, json!({})).await, 1, "a slug that is not old costs what it did");

    let taken = create(&app, &bob, json!({ "title": "x", "slug": "one" })).await;
    assert_eq!(refusal(&taken), ("TAKEN", &json!(["slug"])));
    assert_eq!(slug_of(&app, &bob, "One").await, "one-2", "a slug that is made keeps off it too");
    let back = json!({ "courseId": course.id, "slug": "one" });
    let back = app.edit(&ada, "updateCourse", "course { slug }", back).await;
    assert_eq!(back["course"]["slug"], "one", "its own is always free");
    assert_eq!(find("three").await["slug"], "one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_courses_that_move_to_one_slug_at_once_one_gets_it() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let mut moves = Vec::new();
    for number in 0..8 {
        let course = app.course(&ada, &format!("Course {number}"), 0).await;
        moves.push(json!({ "input": { "courseId": course.id, "version": 1, "slug": "wanted" } }));
    }
    let update = "mutation ($input: UpdateCourseInput!) { updateCourse(input: $input) {
        course { slug } userErrors { code field } } }";
    let moved = join_all(moves.into_iter().map(|input| app.data(Some(&ada.token), update, input))).await;
    let won = moved.iter().filter(|data| data["updateCourse"]["course"]["slug"] == "wanted").count();
    let told = moved.iter().filter(|data| refusal(&data["updateCourse"]).0 == "TAKEN").count();
    assert_eq!((won, told), (1, 7), "{moved:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn courses_created_at_once_with_the_same_title_all_succeed() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    for round in 0..5 {
        let title = format!("Round {round}");
        let mut slugs = join_all((0..12).map(|_| slug_of(&app, &ada, &title))).await;
        slugs.sort_by_key(|slug| (slug.len(), slug.clone()));
        let numbered = (2..=12).map(|number| format!("round-{round}-{number}"));
        let expected: Vec<String> = std::iter::once(format!("round-{round}")).chain(numbered).collect();
        assert_eq!(slugs, expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_choose_one_slug_at_once_one_gets_it() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    for round in 0..5 {
        let input = json!({ "title": "x", "slug": format!("chosen-{round}") });
        let made = join_all((0..6).map(|_| create(&app, &ada, input.clone()))).await;
        let won = made.iter().filter(|payload| payload["course"].is_object()).count();
        let told = made.iter().filter(|payload| refusal(payload).0 == "TAKEN").count();
        assert_eq!((won, told), (1, 5), "{made:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn earlier_slugs_of_categories_lead_to_them_in_filters_too() {
    let app = TestApp::start().await;
    let (root, ada) = (app.user("Root", Role::Admin).await, app.user("Ada", Role::Instructor).await);
    let make =
        async |name: &str| app.payload(&root, "createCategory", "category { id slug }", json!({ "name": name })).await;
    let looms = make("Looms").await["category"]["id"].as_str().unwrap().to_owned();
    let other = make("Other").await["category"]["id"].as_str().unwrap().to_owned();
    let course = app.course(&ada, "Weaving", 1).await;
    app.edit(&ada, "updateCourse", "course { id }", json!({ "courseId": course.id, "categoryId": looms })).await;
    let rename = async |id: &str, version: i32, slug: &str| {
        let input = json!({ "categoryId": id, "version": version, "slug": slug });
        app.payload(&root, "updateCategory", "category { slug }", input).await
    };
    let query = "query ($slug: String!) { category(slug: $slug) { id slug }
        courses(filter: { categorySlugs: [$slug] }) { totalCount } }";
    let find = async |slug: &str| {
        let data = app.data(None, query, json!({ "slug": slug })).await;
        (data["category"]["slug"].as_str().unwrap_or("-").to_owned(), data["courses"]["totalCount"].as_i64().unwrap())
    };
    assert_eq!(find("weaving").await, ("-".into(), 0));
    assert_eq!(rename(&looms, 1, "weaving").await["category"]["slug"], "weaving");
    for slug in ["looms", "weaving"] {
        assert_eq!(find(slug).await, ("weaving".into(), 1), "{slug}");
    }
    let one = "{ a: category(slug: \"looms\") { slug } b: category(slug: \"weaving\") { slug } }";
    assert_eq!(app.statements(None, one, json!({})).await, 1, "old and new");
    assert_eq!(refusal(&make("Looms").await), ("TAKEN", &json!(["slug"])));
    assert_eq!(refusal(&rename(&other, 1, "looms").await), ("TAKEN", &json!(["slug"])));
    assert_eq!(rename(&looms, 2, "looms").await["category"]["slug"], "looms", "its own is always free");
    assert_eq!(find("weaving").await.0, "looms");

    app.edit(&ada, "updateCourse", "course { id }", json!({ "courseId": course.id, "categoryId": null })).await;
    app.mutate(&root, "deleteCategory", "deletedCategoryId", json!({ "categoryId": looms })).await;
    assert_eq!(find("weaving").await, ("-".into(), 0));
    assert_eq!(rename(&other, 1, "weaving").await["category"]["slug"], "weaving", "free after the deletion");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_categories_that_move_to_one_slug_at_once_one_gets_it() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    let mut moves = Vec::new();
    for number in 0..6 {
        let input = json!({ "name": format!("Category {number}") });
        let made = app.mutate(&root, "createCategory", "category { id }", input).await;
        moves.push(json!({ "categoryId": made["category"]["id"], "version": 1, "slug": "wanted" }));
    }
    let selection = "category { slug }";
    let moved = join_all(moves.into_iter().map(|input| app.payload(&root, "updateCategory", selection, input))).await;
    let won = moved.iter().filter(|payload| payload["category"]["slug"] == "wanted").count();
    let told = moved.iter().filter(|payload| refusal(payload).0 == "TAKEN").count();
    assert_eq!((won, told), (1, 5), "{moved:#?}");
}
