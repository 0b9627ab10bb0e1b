//! Facets, held against lists with the filter that each value stands for.

use lyceum::graphql::Entity;
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::{TestApp, User};

const ALL: [&str; 5] = ["CATEGORY", "LEVEL", "LANGUAGE", "PRICE", "RATING"];
const FACETS: &str = "query ($filter: CourseFilter, $kinds: [FacetKind!]!) { courses(filter: $filter, first: 1) {
    totalCount facets(kinds: $kinds) { kind currency values { key label count } } } }";
const COUNT: &str = "query ($filter: CourseFilter) { courses(filter: $filter, first: 1) { totalCount } }";
const LEVELS: [&str; 3] = ["BEGINNER", "INTERMEDIATE", "ADVANCED"];
const LANGUAGES: [&str; 4] = ["en", "en-GB", "de", "pt-BR"];
const PRICES: [(i64, &str); 9] = [
    (0, "USD"),
    (0, "EUR"),
    (1, "EUR"),
    (1999, "EUR"),
    (2000, "EUR"),
    (4999, "EUR"),
    (10_000, "EUR"),
    (5000, "USD"),
    (30, "JPY"),
];

/// The numbers of a linear congruential generator: the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

fn category(number: usize) -> String {
    format!("00000000-0000-4000-8000-00000000010{number}")
}

fn id<E: Entity>(uuid: &str) -> String {
    lyceum::graphql::Id::<E>::new(uuid.parse().unwrap()).encode()
}

/// Categories c0 > c1 > c2 and c3, and sixty courses of Ada's, every tenth of them a draft and every tenth archived.
async fn school() -> (TestApp, User) {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let mut numbers = Numbers(17);
    let mut sql = String::new();
    for (number, parent) in [(0, None), (1, Some(0)), (2, Some(1)), (3, None)] {
        let parent = parent.map_or("NULL".to_owned(), |parent| format!("'{}'", category(parent)));
        let id = category(number);
        sql += &format!("INSERT INTO categories VALUES ('{id}', {parent}, 'c{number}', 'C{number}', 1, now(), now());");
    }
    let text = |text: Option<&str>| text.map_or("NULL".to_owned(), |text| format!("'{text}'"));
    for number in 0..60 {
        let (price, currency) = PRICES[numbers.below(PRICES.len())];
        let own = [Some(0), Some(1), Some(2), Some(3), None][numbers.below(5)].map(category);
        sql += &format!(
            "INSERT INTO courses (id, slug, title, description, instructor_id, level, language, tags, price_minor,
                currency, rating_hundredths, category_id, published_at, archived_at, created_at, updated_at)
            SELECT gen_random_uuid(), 'course-{number}', 'Course {number}', '{}', id, {}, {}, '{{{}}}', {price},
                '{currency}', {}, {}, {}, {}, now(), now() FROM users WHERE name = 'Ada';",
            ["All of weaving.", "All of spinning."][numbers.below(2)],
            text([None, Some(LEVELS[0]), Some(LEVELS[1]), Some(LEVELS[2])][numbers.below(4)]),
            text(LANGUAGES.get(numbers.below(5)).copied()),
            ["web", "art"][numbers.below(2)],
            [0, 299, 300, 349, 350, 400, 449, 450, 500][numbers.below(9)],
            text(own.as_deref()),
            if number % 10 >= 8 { "NULL" } else { "now()" },
            if number % 10 == 9 { "now()" } else { "NULL" },
        );
    }
    app.sql(&sql).await;
    app.forget_rows();
    (app, ada)
}

/// The filter with what one value of a facet stands for, in place of what it says about that kind.
fn with(filter: &Value, kind: &str, currency: &Value, key: Option<&str>) -> Value {
    let mut filter = filter.clone();
    let fields = filter.as_object_mut().unwrap();
    match kind {
        "CATEGORY" => ["categoryId", "categorySlugs"].map(|field| fields.remove(field)),
        "LEVEL" => [fields.remove("levels"), None],
        "LANGUAGE" => [fields.remove("languages"), None],
        "PRICE" => ["price", "isFree"].map(|field| fields.remove(field)),
        _ => [fields.remove("minRating"), None],
    };
    let decimals = if currency == "JPY" { (1, 0) } else { (100, 2) };
    let below = |end: i64| match decimals {
        (1, _) => (end - 1).to_string(),
        _ => format!("{}.99", end - 1),
    };
    let price = |min: &str, max: Option<String>| json!({ "currency": currency, "min": min, "max": max });
    let (field, value) = match (kind, key) {
        (_, None) => return filter,
        ("CATEGORY", Some(slug)) => ("categorySlugs", json!([slug])),
        ("LEVEL", Some(level)) => ("levels", json!([level])),
        ("LANGUAGE", Some(tag)) => ("languages", json!([tag])),
        ("RATING", Some(key)) => ("minRating", json!(key.parse::<f64>().unwrap())),
        (_, Some("FREE")) => ("isFree", json!(true)),
        (_, Some("0-20")) => ("price", price(if decimals.1 == 0 { "1" } else { "0.01" }, Some(below(20)))),
        (_, Some("20-50")) => ("price", price("20", Some(below(50)))),
        (_, Some("50-100")) => ("price", price("50", Some(below(100)))),
        (_, Some(_)) => ("price", price("100", None)),
    };
    fields.insert(field.into(), value);
    filter
}

/// Compares each facet with the counts of the lists that its values stand for, those of no course included.
async fn check(app: &TestApp, filter: &Value) {
    let data = app.data(None, FACETS, json!({ "filter": filter, "kinds": ALL })).await["courses"].take();
    let facets = data["facets"].as_array().unwrap();
    assert_eq!(facets.iter().map(|facet| facet["kind"].as_str().unwrap()).collect::<Vec<_>>(), ALL);
    for facet in facets {
        let kind = facet["kind"].as_str().unwrap();
        let keys: Vec<&str> = match kind {
            "CATEGORY" => vec!["c0", "c1", "c2", "c3"],
            "LEVEL" => LEVELS.into(),
            "LANGUAGE" => LANGUAGES.into(),
            "PRICE" => vec!["FREE", "0-20", "20-50", "50-100", "100+"],
            _ => vec!["4.5", "4", "3.5", "3"],
        };
        let currency = &facet["currency"];
        if kind != "PRICE" {
            assert_eq!(*currency, Value::Null);
        }
        let mut expected = Vec::new();
        for key in keys {
            if kind == "PRICE" && *currency == Value::Null && key != "FREE" {
                continue;
            }
            let one = with(filter, kind, currency, Some(key));
            let count =
                app.data(None, COUNT, json!({ "filter": one })).await["courses"]["totalCount"].as_i64().unwrap();
            if count > 0 {
                expected.push((key.to_owned(), count));
            }
        }
        let values = facet["values"].as_array().unwrap();
        let key = |value: &Value| (value["key"].as_str().unwrap().to_owned(), value["count"].as_i64().unwrap());
        let mut found: Vec<(String, i64)> = values.iter().map(key).collect();
        if ["CATEGORY", "LANGUAGE"].contains(&kind) {
            assert!(found.is_sorted_by_key(|(_, count)| -count), "{kind} {filter}: {found:?}");
            found.sort();
            expected.sort();
            // A language that only its variants have is no value.
            let has = |tag: &String| kind != "LANGUAGE" || found.iter().any(|(own, _)| own == tag);
            expected.retain(|(key, _)| has(key));
        }
        assert_eq!(found, expected, "{kind} with {filter}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_facet_counts_what_the_list_would_have_with_that_value() {
    let (app, ada) = school().await;
    let mut filters = vec![
        json!({}),
        json!({ "isFree": true }),
        json!({ "isFree": false, "price": { "currency": "EUR", "min": "10" } }),
        json!({ "price": { "currency": "JPY", "max": "40" } }),
        json!({ "price": { "currency": "CHF" }, "levels": ["BEGINNER"] }),
        json!({ "categorySlugs": ["c1"], "levels": ["ADVANCED", "BEGINNER"] }),
        json!({ "categorySlugs": ["nowhere"], "languages": ["en"] }),
        json!({ "categoryId": id::<lyceum::catalog::Category>(&category(0)), "minRating": 3.2 }),
        json!({ "query": "weaving" }),
        json!({ "query": "weaving", "languages": ["en"], "levels": ["BEGINNER"] }),
        json!({ "tags": ["web"], "minRating": 4 }),
        json!({ "instructorId": ada.id, "languages": ["PT-br", "de"] }),
        json!({ "minDurationSeconds": 1 }),
    ];
    let mut numbers = Numbers(4711);
    for _ in 0..12 {
        let mut filter = json!({});
        if numbers.below(2) == 0 {
            filter["categorySlugs"] = json!([format!("c{}", numbers.below(4)), format!("c{}", numbers.below(4))]);
        }
        if numbers.below(2) == 0 {
            filter["levels"] = json!([LEVELS[numbers.below(3)], LEVELS[numbers.below(3)]]);
        }
        if numbers.below(2) == 0 {
            filter["languages"] = json!([LANGUAGES[numbers.below(4)]]);
        }
        match numbers.below(4) {
            0 => filter["isFree"] = json!(numbers.below(2) == 0),
            1 => {
                let most = ["0", "20", "50"][numbers.below(3)];
                filter["price"] = json!({ "currency": "EUR", "max": most });
            }
            _ => {}
        }
        if numbers.below(3) == 0 {
            filter["minRating"] = json!([3.0, 3.49, 4.5][numbers.below(3)]);
        }
        if numbers.below(3) == 0 {
            filter["tags"] = json!(["art"]);
        }
        filters.push(filter);
    }
    for filter in filters {
        check(&app, &filter).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn facets_take_one_statement_and_follow_each_change() {
    let (app, ada) = school().await;
    let list = json!({ "filter": { "levels": ["BEGINNER"] }, "kinds": ALL });
    let with = app.statements(None, FACETS, list.clone()).await;
    let without = app.statements(None, COUNT, list).await;
    // The categories are read for their names.
    assert_eq!(with, without + 2, "one for all facets, and one for the categories");
    let empty = json!({ "filter": { "levels": ["BEGINNER"] }, "kinds": [] });
    assert_eq!(app.data(None, FACETS, empty).await["courses"]["facets"], json!([]));

    let beginners = async || {
        let data = app.data(None, FACETS, json!({ "filter": {}, "kinds": ["LEVEL", "LEVEL"] })).await;
        assert_eq!(data["courses"]["facets"].as_array().unwrap().len(), 1);
        data["courses"]["facets"][0]["values"][0]["count"].as_i64().unwrap()
    };
    let before = beginners().await;
    let course = app.course(&ada, "Looms", 1).await;
    assert_eq!(beginners().await, before, "it has no level");
    app.edit(&ada, "updateCourse", "course { id }", json!({ "courseId": course.id, "level": "BEGINNER" })).await;
    assert_eq!(beginners().await, before + 1);
    let archive = json!({ "courseId": course.id });
    app.mutate(&ada, "archiveCourse", "course { id }", archive).await;
    assert_eq!(beginners().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_list_of_courses_has_facets_of_its_own_courses() {
    let (app, ada) = school().await;
    let root = app.user("Root", Role::Admin).await;
    let channel = app.mutate(&ada, "createChannel", "channel { id }", json!({ "name": "Looms" })).await;
    let channel = channel["channel"]["id"].as_str().unwrap().to_owned();
    let uuid = app.sql("SELECT id FROM channels WHERE slug = 'looms'").await;
    app.sql(&format!("UPDATE courses SET channel_id = '{uuid}' WHERE 'art' = ANY (tags)")).await;
    app.forget_rows();
    let sum = |facet: &Value| {
        facet["values"].as_array().unwrap().iter().map(|value| value["count"].as_i64().unwrap()).sum::<i64>()
    };
    let levels = "totalCount facets(kinds: [LEVEL]) { values { key count } }";
    let sql = async |condition: &str| {
        let count = format!("SELECT count(*) FROM courses WHERE level IS NOT NULL AND {condition}");
        app.sql(&count).await.parse::<i64>().unwrap()
    };
    let public = "published_at IS NOT NULL AND archived_at IS NULL";

    let query = format!("query ($id: ID) {{ channel(id: $id) {{ courses {{ {levels} }} }} }}");
    let data = app.data(None, &query, json!({ "id": channel })).await;
    let own = sql(&format!("{public} AND 'art' = ANY (tags)")).await;
    assert_eq!(sum(&data["channel"]["courses"]["facets"][0]), own);

    let facets = "courses { facets(kinds: [CATEGORY, LEVEL]) { values { key label count } } }";
    let query = format!("{{ category(slug: \"c0\") {{ {facets} children {{ nodes {{ courseCount }} }} }} }}");
    let data = app.data(None, &query, json!({})).await;
    let values = data["category"]["courses"]["facets"][0]["values"].as_array().unwrap().clone();
    let keys: Vec<&str> = values.iter().map(|value| value["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["c1", "c2"], "those below it only");
    assert_eq!(values[0]["count"], data["category"]["children"]["nodes"][0]["courseCount"]);
    assert_eq!(values[0]["label"], "C1");

    let search = format!("query ($sort: CourseSort) {{ searchCourses(query: \"weav\", sort: $sort) {{ {levels} }} }}");
    for sort in [Value::Null, json!({ "field": "RATING", "direction": "DESC" })] {
        let data = app.data(None, &search, json!({ "sort": sort })).await;
        assert_eq!(
            sum(&data["searchCourses"]["facets"][0]),
            sql(&format!("{public} AND description LIKE '%weav%'")).await
        );
    }
    let both = format!(
        "{{ searchCourses(query: \"weaving\", filter: {{ query: \"course 1\" }}) {{ {levels} }}
        none: searchCourses(query: \"?!\") {{ {levels} }} }}"
    );
    let data = app.data(None, &both, json!({})).await;
    let expected = sql(&format!("{public} AND description LIKE '%weav%' AND title = 'Course 1'")).await;
    assert_eq!(sum(&data["searchCourses"]["facets"][0]), expected);
    assert_eq!(sum(&data["none"]["facets"][0]), 0);

    let query = format!("{{ viewer {{ courses {{ {levels} }} }} }}");
    let data = app.data(Some(&ada.token), &query, json!({})).await;
    assert_eq!(sum(&data["viewer"]["courses"]["facets"][0]), sql("true").await, "drafts, too");

    let query = format!("{{ course(slug: \"course-0\") {{ moreByInstructor {{ {levels} }} }} }}");
    let data = app.data(None, &query, json!({})).await;
    let others = sql(&format!("{public} AND slug <> 'course-0'")).await;
    assert_eq!(sum(&data["course"]["moreByInstructor"]["facets"][0]), others);

    let drafts = format!("{{ courses(filter: {{ statuses: [DRAFT] }}) {{ {levels} }} }}");
    let data = app.data(Some(&root.token), &drafts, json!({})).await;
    assert_eq!(sum(&data["courses"]["facets"][0]), sql("published_at IS NULL AND archived_at IS NULL").await);
    let answer = app.send(None, &drafts, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn facets_weigh_as_much_as_fifty_objects() {
    let app = TestApp::start().await;
    let query = |facets: &str| format!("{{ courses(first: 1) {{ totalCount {facets} }} }}");
    let cost = async |facets: &str| {
        app.send(None, &query(facets), json!({})).await["extensions"]["cost"]["requested"].as_u64().unwrap()
    };
    let plain = cost("").await;
    assert_eq!(cost("facets(kinds: [LEVEL]) { kind values { key } }").await, plain + 51);
}
