//! The tree of subjects.

use futures_util::future::join_all;
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::{TestApp, User};

async fn payload(app: &TestApp, user: &User, field: &str, input: Value) -> Value {
    let input_type = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
    let selection = match field {
        "deleteCategory" => "deletedCategoryId",
        _ => "category { id slug name position parent { id } }",
    };
    let query = format!(
        "mutation ($input: {input_type}!) {{ {field}(input: $input) {{ {selection} userErrors {{ code field message }} }} }}"
    );
    app.data(Some(&user.token), &query, json!({ "input": input })).await[field].take()
}

/// Makes a category; its id.
async fn create(app: &TestApp, user: &User, name: &str, parent: Option<&str>) -> String {
    let made = payload(app, user, "createCategory", json!({ "name": name, "parentId": parent })).await;
    made["category"]["id"].as_str().unwrap_or_else(|| panic!("{made:#}")).to_owned()
}

fn refusal(payload: &Value) -> (&str, &str) {
    let error = &payload["userErrors"][0];
    (error["code"].as_str().unwrap_or_default(), error["field"][0].as_str().unwrap_or_default())
}

/// The tree as text: `a(b c(d)) e`.
async fn tree(app: &TestApp) -> String {
    fn shown(connection: &Value) -> String {
        let nodes = connection["nodes"].as_array().unwrap().iter().enumerate();
        let one = |(place, node): (usize, &Value)| {
            assert_eq!(node["position"], place + 1, "{connection:#}");
            let below = node.get("children").map(shown).unwrap_or_default();
            let below = if below.is_empty() { below } else { format!("({below})") };
            format!("{}{below}", node["slug"].as_str().unwrap())
        };
        nodes.map(one).collect::<Vec<_>>().join(" ")
    }
    let query = "{ categories(first: 9) { nodes { slug position children(first: 9) { nodes { slug position
        children(first: 9) { nodes { slug position } } } } } } }";
    shown(&app.data(None, query, json!({})).await["categories"])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn categories_are_a_tree_that_administrators_change() {
    let app = TestApp::start().await;
    let (root, ada) = (app.user("Root", Role::Admin).await, app.user("Ada", Role::Instructor).await);
    let a = create(&app, &root, "A", None).await;
    let b = create(&app, &root, "B", Some(&a)).await;
    let c = create(&app, &root, "C", Some(&a)).await;
    let d = create(&app, &root, "D", Some(&c)).await;
    let e = create(&app, &root, "E", None).await;
    assert_eq!(tree(&app).await, "a(b c(d)) e");
    for (id, parent, position, expected) in [
        (&e, None, Some(1), "e a(b c(d))"),
        (&c, Some(&a), Some(1), "e a(c(d) b)"),
        (&c, Some(&e), None, "e(c(d)) a(b)"),
        (&b, Some(&e), Some(99), "e(c(d) b) a"),
        (&b, None, Some(2), "e(c(d)) b a"),
        (&d, None, None, "e(c) b a d"),
        (&a, Some(&e), Some(1), "e(a c) b d"),
    ] {
        let input = json!({ "categoryId": id, "parentId": parent, "position": position });
        let moved = payload(&app, &root, "moveCategory", input).await;
        assert_eq!(moved["category"]["parent"]["id"], json!(parent), "{moved:#}");
        assert_eq!(tree(&app).await, expected);
    }
    for (id, parent) in [(&e, &e), (&e, &a), (&e, &c)] {
        let input = json!({ "categoryId": id, "parentId": parent });
        assert_eq!(refusal(&payload(&app, &root, "moveCategory", input).await), ("NOT_ALLOWED", "parentId"));
    }
    let nobody = "category_01h455vb4pex5vsknk084sn02q";
    for (field, input, expected) in [
        ("createCategory", json!({ "name": "x", "parentId": nobody }), ("NOT_FOUND", "parentId")),
        ("createCategory", json!({ "name": " " }), ("BLANK", "name")),
        ("createCategory", json!({ "name": "!!" }), ("BLANK", "slug")),
        ("createCategory", json!({ "name": "a" }), ("TAKEN", "slug")),
        ("updateCategory", json!({ "categoryId": a, "version": 1, "slug": "e" }), ("TAKEN", "slug")),
        ("updateCategory", json!({ "categoryId": a, "version": 1, "slug": "No" }), ("INVALID", "slug")),
        ("moveCategory", json!({ "categoryId": a, "position": 0 }), ("OUT_OF_RANGE", "position")),
        ("moveCategory", json!({ "categoryId": a, "parentId": nobody }), ("NOT_FOUND", "parentId")),
        ("deleteCategory", json!({ "categoryId": e }), ("NOT_ALLOWED", "categoryId")),
        ("updateCategory", json!({ "categoryId": a, "version": 1, "name": "Arts", "slug": "arts" }), ("", "")),
        ("updateCategory", json!({ "categoryId": a, "version": 1, "name": "Stale" }), ("CONFLICT", "version")),
        ("deleteCategory", json!({ "categoryId": b }), ("", "")),
    ] {
        let answer = payload(&app, &root, field, input).await;
        assert_eq!(refusal(&answer), expected, "{field}: {answer:#}");
    }
    assert_eq!(tree(&app).await, "e(arts c) d");
    let found = app
        .data(None, "{ category(slug: \"arts\") { name parent { slug } } a: category(slug: \"a\") { id } }", json!({}))
        .await;
    assert_eq!(
        found,
        json!({ "category": { "name": "Arts", "parent": { "slug": "e" } }, "a": { "id": a } }),
        "by its earlier slug"
    );
    let body = app
        .send(Some(&ada.token), "mutation { createCategory(input: { name: \"x\" }) { category { id } } }", json!({}))
        .await;
    assert_eq!(body["errors"][0]["extensions"]["code"], "FORBIDDEN");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn categories_have_descriptions() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    let seen = async |id: &str| {
        let query = "query ($id: ID) { category(id: $id) { description version image { url } } }";
        app.data(None, query, json!({ "id": id })).await["category"].take()
    };
    let plain = create(&app, &root, "Plain", None).await;
    assert_eq!(seen(&plain).await, json!({ "description": "", "version": 1, "image": null }));
    let input = json!({ "name": "Engines", "description": " Steam and *water*.\n\nBoth. " });
    let made = payload(&app, &root, "createCategory", input).await;
    let id = made["category"]["id"].as_str().unwrap();
    assert_eq!(seen(id).await["description"], "Steam and *water*.\n\nBoth.");
    let update = async |changes: Value| {
        let mut input = json!({ "categoryId": id, "version": seen(id).await["version"] });
        input.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        payload(&app, &root, "updateCategory", input).await
    };
    update(json!({ "name": "Motors" })).await;
    assert_eq!(seen(id).await["description"], "Steam and *water*.\n\nBoth.", "omitted is unchanged");
    let long = "x".repeat(5000);
    assert_eq!(update(json!({ "description": long })).await["userErrors"], json!([]));
    assert_eq!(seen(id).await["description"], long, "at once, also where it was cached");
    let refused = update(json!({ "description": "x".repeat(5001) })).await;
    assert_eq!(refusal(&refused), ("TOO_LONG", "description"), "{refused:#}");
    let refused = payload(&app, &root, "createCategory", json!({ "name": "y", "description": "x".repeat(5001) })).await;
    assert_eq!(refusal(&refused), ("TOO_LONG", "description"), "{refused:#}");
    update(json!({ "description": "" })).await;
    assert_eq!(seen(id).await["description"], "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moves_at_once_never_make_a_circle() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d"] {
        ids.push(create(&app, &root, name, None).await);
    }
    for _ in 0..4 {
        let moves = (0..4).map(|number| {
            let input = json!({ "categoryId": ids[number], "parentId": ids[(number + 1) % 4] });
            payload(&app, &root, "moveCategory", input)
        });
        let answers = join_all(moves).await;
        let refused = answers.iter().filter(|answer| refusal(answer).0 == "NOT_ALLOWED").count();
        assert!(refused >= 1, "the last one would close the circle: {answers:#?}");
        let reachable = "WITH RECURSIVE found (id) AS (SELECT id FROM categories WHERE parent_id IS NULL
            UNION ALL SELECT categories.id FROM categories JOIN found ON parent_id = found.id)
            SELECT count(*) FROM found";
        assert_eq!(app.sql(reachable).await, "4");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_category_lists_the_published_courses_of_its_whole_branch() {
    let app = TestApp::start().await;
    let (root, ada) = (app.user("Root", Role::Admin).await, app.user("Ada", Role::Instructor).await);
    let science = create(&app, &root, "Science", None).await;
    let physics = create(&app, &root, "Physics", Some(&science)).await;
    let arts = create(&app, &root, "Arts", None).await;
    let mut ids = Vec::new();
    for (number, category) in [&science, &physics, &physics, &arts].into_iter().enumerate() {
        app.app.clock.advance(chrono::TimeDelta::seconds(1));
        let course = app.course(&ada, &format!("Course {number}"), usize::from(number != 1)).await;
        let input = json!({ "courseId": course.id, "categoryId": category });
        let sorted = app.edit(&ada, "updateCourse", "course { category { id } }", input).await;
        assert_eq!(sorted["course"]["category"]["id"], **category);
        ids.push(course.id);
    }
    let query = "query ($slug: String!) { category(slug: $slug) { courses(first: 1) { totalCount nodes { id category { slug parent { slug } } }
        pageInfo { hasNextPage endCursor } } } }";
    let found = app.data(None, query, json!({ "slug": "science" })).await["category"]["courses"].take();
    assert_eq!((&found["totalCount"], &found["nodes"][0]["id"]), (&json!(2), &json!(ids[2])), "{found:#}");
    assert_eq!(found["nodes"][0]["category"], json!({ "slug": "physics", "parent": { "slug": "science" } }));
    let next = "query ($after: String) { category(slug: \"science\") { courses(after: $after) { nodes { id } pageInfo { hasNextPage } } } }";
    let rest =
        app.data(None, next, json!({ "after": found["pageInfo"]["endCursor"] })).await["category"]["courses"].take();
    assert_eq!(rest, json!({ "nodes": [{ "id": ids[0] }], "pageInfo": { "hasNextPage": false } }));
    for (category, in_use) in [(&physics, true), (&science, true), (&arts, true)] {
        let answer = payload(&app, &root, "deleteCategory", json!({ "categoryId": category })).await;
        assert_eq!(refusal(&answer).0 == "NOT_ALLOWED", in_use, "{answer:#}");
    }
    let input = json!({ "courseId": ids[3], "categoryId": null });
    app.edit(&ada, "updateCourse", "course { id }", input).await;
    assert_eq!(refusal(&payload(&app, &root, "deleteCategory", json!({ "categoryId": arts })).await), ("", ""));

    let page = "query ($first: Int) { courses(first: $first) { nodes { category { name parent { name } } } } }";
    let of_two = app.statements(None, page, json!({ "first": 2 })).await;
    let of_all = app.statements(None, page, json!({ "first": 20 })).await;
    assert_eq!((of_two, of_all), (2, 2), "a page and the tree, however many have one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_course_that_comes_in_while_its_category_goes_is_told_or_keeps_it() {
    let app = TestApp::start().await;
    let (root, ada) = (app.user("Root", Role::Admin).await, app.user("Ada", Role::Instructor).await);
    for number in 0..6 {
        let category = create(&app, &root, &format!("Category {number}"), None).await;
        let course = app.course(&ada, "Engines", 0).await;
        let update = "mutation ($input: UpdateCourseInput!) { updateCourse(input: $input) { userErrors { code } } }";
        let input = json!({ "input": { "courseId": course.id, "version": 1, "categoryId": category } });
        let (deleted, updated) = tokio::join!(
            payload(&app, &root, "deleteCategory", json!({ "categoryId": category })),
            app.data(Some(&ada.token), update, input),
        );
        let kept = refusal(&deleted).0 == "NOT_ALLOWED";
        let told = updated["updateCourse"]["userErrors"][0]["code"] == "NOT_FOUND";
        assert!(kept != told, "{deleted:#} {updated:#}");
    }
}

/// More than one client may read at once by a filter of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_operation_lists_the_courses_of_many_categories() {
    let app = TestApp::start().await;
    let root = app.user("Root", Role::Admin).await;
    for number in 0..40 {
        create(&app, &root, &format!("Category {number}"), None).await;
    }
    let lists = "{ categories(first: 40) { nodes { courses(first: 2) { totalCount nodes { title } } } } }";
    let data = app.data(None, lists, json!({})).await;
    assert_eq!(data["categories"]["nodes"].as_array().unwrap().len(), 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archived_category_is_not_offered_and_its_courses_stay() {
    let app = TestApp::start().await;
    let (root, ada) = (app.user("Root", Role::Admin).await, app.user("Ada", Role::Instructor).await);
    let arts = create(&app, &root, "Arts", None).await;
    let physics = create(&app, &root, "Physics", None).await;
    let course = app.course(&ada, "Engines", 1).await;
    let sorted = json!({ "courseId": course.id, "categoryId": physics });
    app.edit(&ada, "updateCourse", "course { id }", sorted.clone()).await;
    let archive = |field: &'static str, id: &str| {
        let input = json!({ "categoryId": id });
        app.mutate(&root, field, "category { id archivedAt version }", input)
    };
    assert_eq!(archive("unarchiveCategory", &physics).await["category"]["archivedAt"], Value::Null, "it is not");
    let archived = archive("archiveCategory", &physics).await["category"].take();
    assert_eq!((&archived["archivedAt"], &archived["version"]), (&json!("2026-11-20T09:00:00+00:00"), &json!(1)));
    app.app.clock.advance(chrono::TimeDelta::minutes(1));
    assert_eq!(archive("archiveCategory", &physics).await["category"], archived, "twice changes nothing");

    // It is not in the list, not a filter, and not found; but its course is, and it is known by its address.
    assert_eq!(tree(&app).await, "arts");
    let query = "{ categories(includeArchived: true) { nodes { slug position } }
        suggested: searchSuggestions(query: \"Physics\") { __typename }
        courses(filter: { categorySlugs: [\"physics\"] }) { nodes { title category { slug archivedAt } }
            facets(kinds: [CATEGORY]) { values { key } } }
        category(slug: \"physics\") { courseCount courses { nodes { title } } } }";
    let seen = app.data(None, query, json!({})).await;
    let all = json!([{ "slug": "arts", "position": 1 }, { "slug": "physics", "position": 2 }]);
    assert_eq!(seen["categories"]["nodes"], all);
    assert_eq!(seen["suggested"], json!([]));
    let category = json!({ "slug": "physics", "archivedAt": "2026-11-20T09:00:00+00:00" });
    assert_eq!(seen["courses"]["nodes"], json!([{ "title": "Engines", "category": category }]));
    assert_eq!(seen["courses"]["facets"], json!([{ "values": [] }]));
    let branch = json!({ "courseCount": 1, "courses": { "nodes": [{ "title": "Engines" }] } });
    assert_eq!(seen["category"], branch);

    // More courses do not come in, and those that are in it can be edited.
    let code = async |user: &User, field: &str, input: Value| {
        let payload = app.payload(user, field, "course { id }", input).await;
        payload["userErrors"][0]["code"].as_str().unwrap_or_default().to_owned()
    };
    app.edit(&ada, "updateCourse", "course { id }", sorted).await;
    let new = json!({ "title": "Wheels", "categoryId": physics });
    assert_eq!(code(&ada, "createCourse", new.clone()).await, "NOT_ALLOWED");
    let other = app.course(&ada, "Levers", 0).await;
    let into = app.current(&ada, json!({ "courseId": other.id, "categoryId": physics })).await;
    assert_eq!(code(&ada, "updateCourse", into).await, "NOT_ALLOWED");
    assert_eq!(archive("unarchiveCategory", &physics).await["category"]["archivedAt"], Value::Null);
    assert_eq!(tree(&app).await, "arts physics", "at once, also where it was cached");
    assert_eq!(code(&ada, "createCourse", new).await, "");

    // The whole branch is archived from below and brought back from above.
    let optics = create(&app, &root, "Optics", Some(&physics)).await;
    let refused = async |field: &str, input: Value| {
        let payload = payload(&app, &root, field, input).await;
        refusal(&payload).0.to_owned()
    };
    assert_eq!(refused("archiveCategory", json!({ "categoryId": physics })).await, "NOT_ALLOWED");
    archive("archiveCategory", &optics).await;
    let parts =
        "query ($all: Boolean!) { category(slug: \"physics\") { children(includeArchived: $all) { totalCount } } }";
    for (all, count) in [(false, 0), (true, 1)] {
        let seen = app.data(None, parts, json!({ "all": all })).await;
        assert_eq!(seen["category"]["children"]["totalCount"], count);
    }
    archive("archiveCategory", &physics).await;
    assert_eq!(refused("unarchiveCategory", json!({ "categoryId": optics })).await, "NOT_ALLOWED");
    assert_eq!(refused("createCategory", json!({ "name": "Heat", "parentId": physics })).await, "NOT_ALLOWED");
    assert_eq!(refused("moveCategory", json!({ "categoryId": arts, "parentId": physics })).await, "NOT_ALLOWED");
    assert_eq!(refused("moveCategory", json!({ "categoryId": optics, "parentId": arts })).await, "");
    let gone = json!({ "categoryId": "category_01h455vb4pex5vsknk084sn02q" });
    assert_eq!(refused("archiveCategory", gone).await, "NOT_FOUND");
    let forbidden = "mutation ($input: ArchiveCategoryInput!) { archiveCategory(input: $input) { category { id } } }";
    let body = app.send(Some(&ada.token), forbidden, json!({ "input": { "categoryId": arts } })).await;
    assert_eq!(body["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let entries = "SELECT string_agg(concat_ws(' ', action, details ->> 'slug'), ', ' ORDER BY at, id)
        FROM audit_entries WHERE action LIKE 'category_%'";
    let expected = "category_archived physics, category_unarchived physics, category_archived optics, \
        category_archived physics";
    assert_eq!(app.sql(entries).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_course_that_comes_in_while_its_category_is_archived_is_told_or_was_there_first() {
    let app = TestApp::start().await;
    let (root, ada) = (app.user("Root", Role::Admin).await, app.user("Ada", Role::Instructor).await);
    for number in 0..6 {
        let category = create(&app, &root, &format!("Category {number}"), None).await;
        let course = app.course(&ada, "Engines", 0).await;
        let into = json!({ "courseId": course.id, "version": 1, "categoryId": category });
        let (archived, updated) = tokio::join!(
            payload(&app, &root, "archiveCategory", json!({ "categoryId": category })),
            app.payload(&ada, "updateCourse", "course { category { id } }", into),
        );
        assert_eq!(refusal(&archived).0, "", "{archived:#}");
        match refusal(&updated).0 {
            "" => assert_eq!(updated["course"]["category"]["id"], json!(category)),
            code => assert_eq!(code, "NOT_ALLOWED", "{updated:#}"),
        }
    }
}
