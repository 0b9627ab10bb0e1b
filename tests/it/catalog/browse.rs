//! The filters and orders of the catalog, held against a model of it.

use std::fmt::Write;

use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::{TestApp, User};

const COURSES: &str =
    "query ($filter: CourseFilter, $sort: CourseSort, $first: Int, $last: Int, $after: String, $before: String) {
    courses(filter: $filter, sort: $sort, first: $first, last: $last, after: $after, before: $before) {
        totalCount edges { cursor node { title } } nodes { title }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
const LEVELS: [&str; 3] = ["BEGINNER", "INTERMEDIATE", "ADVANCED"];
const LANGUAGES: [&str; 4] = ["en", "en-GB", "de", "fr"];
const TAGS: [&str; 4] = ["web", "data", "art", "it's"];
const PRICES: [(i64, &str); 6] = [(0, "USD"), (1990, "USD"), (1990, "EUR"), (4990, "EUR"), (0, "EUR"), (1990, "JPY")];

/// A course as the model knows it; what is derived from its number.
#[derive(Clone, Debug)]
struct Modelled(usize);

impl Modelled {
    /// Only so that equal values sort differently from the numbers.
    fn id(&self) -> String {
        format!("00000000-0000-4000-8000-{:012}", self.0 * 37 % 60)
    }
    fn title(&self) -> String {
        format!("Course {:02}", self.0)
    }
    fn level(&self) -> Option<&'static str> {
        LEVELS.get(self.0 % 4).copied()
    }
    fn language(&self) -> Option<&'static str> {
        LANGUAGES.get(self.0 % 5).copied()
    }
    fn tags(&self) -> Vec<&'static str> {
        TAGS.iter().enumerate().filter(|(bit, _)| (self.0 >> bit) & 1 == 1).map(|(_, tag)| *tag).collect()
    }
    fn price(&self) -> (i64, &'static str) {
        PRICES[self.0 % 6]
    }
    fn rating(&self) -> i64 {
        [0, 250, 450, 500][self.0 / 3 % 4]
    }
    fn students(&self) -> i64 {
        [0, 3, 3, 70, 1000][self.0 / 2 % 5]
    }
    fn category(&self) -> Option<usize> {
        [Some(0), Some(1), Some(2), Some(3), None][self.0 / 5 % 5]
    }
    fn channel(&self) -> Option<usize> {
        [None, Some(0), Some(1)][self.0 / 7 % 3]
    }
    fn instructor(&self) -> usize {
        self.0 / 11 % 2
    }
    /// Minutes; `None` is a draft or archived.
    fn published(&self) -> Option<usize> {
        (self.0 % 10 < 8).then_some(self.0 / 4)
    }
    fn archived(&self) -> bool {
        self.0 % 10 == 8
    }
}

fn category(number: usize) -> String {
    format!("00000000-0000-4000-8000-00000000010{number}")
}

fn channel(number: usize) -> String {
    format!("00000000-0000-4000-8000-00000000020{number}")
}

fn id<E: lyceum::graphql::Entity>(uuid: &str) -> String {
    lyceum::graphql::Id::<E>::new(uuid.parse().unwrap()).encode()
}

struct School {
    app: TestApp,
    instructors: [User; 2],
}

impl School {
    async fn with_sixty() -> School {
        let app = TestApp::start().await;
        let instructors = [app.user("Ada", Role::Instructor).await, app.user("Bob", Role::Instructor).await];
        let mut sql = String::new();
        for (number, parent) in [(0, None), (1, Some(0)), (2, Some(1)), (3, None)] {
            let parent = parent.map_or("NULL".to_owned(), |parent| format!("'{}'", category(parent)));
            let id = category(number);
            write!(sql, "INSERT INTO categories VALUES ('{id}', {parent}, 'c{number}', 'C', 1, now(), now());")
                .unwrap();
        }
        for number in 0..2 {
            let id = channel(number);
            write!(sql, "INSERT INTO channels (id, slug, name, owner_id, is_default, created_at, updated_at) SELECT '{id}', 'c{number}', 'C', id, false, now(), now() FROM users WHERE name = 'Ada';").unwrap();
        }
        for course in (0..60).map(Modelled) {
            let text = |text: Option<String>| text.map_or("NULL".to_owned(), |text| format!("'{text}'"));
            let tags = course.tags().join("\",\"").replace('\'', "''");
            write!(
                sql,
                "INSERT INTO courses (id, slug, title, description, instructor_id, level, language, tags, price_minor,
                    currency, rating_hundredths, popularity, category_id, channel_id, published_at, archived_at,
                    created_at, updated_at)
                SELECT '{}', 'course-{}', '{}', 'All of it.', (SELECT id FROM users WHERE name = '{}'), {}, {}, '{}', {},
                    '{}', {}, {}, {}, {}, {}, {}, now(), now();",
                course.id(),
                course.0,
                course.title(),
                ["Ada", "Bob"][course.instructor()],
                text(course.level().map(str::to_owned)),
                text(course.language().map(str::to_owned)),
                if tags.is_empty() { "{}".to_owned() } else { format!("{{\"{tags}\"}}") },
                course.price().0,
                course.price().1,
                course.rating(),
                course.students(),
                text(course.category().map(category)),
                text(course.channel().map(channel)),
                text(course.published().map(|minutes| format!("2026-11-01T00:{minutes:02}:00Z"))),
                if course.archived() { "now()" } else { "NULL" },
            )
            .unwrap();
        }
        app.sql(&sql).await;
        app.forget_rows();
        School { app, instructors }
    }

    /// What the model says, and the API on pages of `size`, forward and backward.
    async fn check(&self, filter: &Value, order: &Value, size: usize, holds: &dyn Fn(&Modelled) -> bool) {
        let mut expected: Vec<Modelled> = (0..60).map(Modelled).collect();
        expected.retain(|course| course.published().is_some() && holds(course));
        let descending = order["direction"] != "ASC";
        expected.sort_by_key(|course| {
            let key = match order["field"].as_str() {
                Some("POPULARITY") => (String::new(), course.students()),
                Some("RATING") => (String::new(), course.rating()),
                Some("PRICE") => (course.price().1.to_owned(), course.price().0),
                _ => (String::new(), course.published().unwrap() as i64),
            };
            (key, course.id())
        });
        if descending {
            expected.reverse();
        }
        let expected: Vec<String> = expected.iter().map(Modelled::title).collect();
        for backward in [false, true] {
            let (seen, total) = self.all(filter, order, size, backward).await;
            assert_eq!(seen, expected, "{filter} {order}, {size} at once, backward: {backward}");
            assert_eq!(total, expected.len(), "{filter} {order}");
        }
    }

    async fn all(&self, filter: &Value, order: &Value, size: usize, backward: bool) -> (Vec<String>, usize) {
        let (count, cursor, more, end) = match backward {
            true => ("last", "before", "hasPreviousPage", "startCursor"),
            false => ("first", "after", "hasNextPage", "endCursor"),
        };
        let (mut seen, mut place) = (Vec::new(), Value::Null);
        loop {
            let arguments = json!({ "filter": filter, "sort": order, count: size, cursor: place });
            let page = self.app.data(None, COURSES, arguments).await["courses"].take();
            let titles =
                page["nodes"].as_array().unwrap().iter().map(|node| node["title"].as_str().unwrap().to_owned());
            match backward {
                true => drop(seen.splice(0..0, titles)),
                false => seen.extend(titles),
            }
            assert!(seen.len() < 100, "it never ends");
            if page["pageInfo"][more] == false {
                return (seen, usize::try_from(page["totalCount"].as_u64().unwrap()).unwrap());
            }
            place = page["pageInfo"][end].clone();
        }
    }
}

type Holds<'a> = Box<dyn Fn(&Modelled) -> bool + 'a>;

fn filters(school: &School) -> Vec<(Value, Holds<'_>)> {
    let one = |filter: Value, holds: fn(&Modelled) -> bool| -> (Value, Holds<'_>) { (filter, Box::new(holds)) };
    let below = id::<lyceum::catalog::Category>;
    let mut filters = vec![
        one(json!(null), |_| true),
        one(json!({}), |_| true),
        one(json!({ "categoryId": below(&category(0)) }), |c| matches!(c.category(), Some(0..=2))),
        one(json!({ "categoryId": below(&category(2)) }), |c| c.category() == Some(2)),
        one(json!({ "categoryId": below(&category(7)) }), |_| false),
        one(json!({ "channelId": id::<lyceum::channels::Channel>(&channel(1)) }), |c| c.channel() == Some(1)),
        one(json!({ "levels": ["BEGINNER", "ADVANCED"] }), |c| matches!(c.level(), Some("BEGINNER" | "ADVANCED"))),
        one(json!({ "levels": [], "languages": [], "tags": [], "query": " " }), |_| true),
        one(json!({ "languages": ["en"] }), |c| matches!(c.language(), Some("en" | "en-GB"))),
        one(json!({ "languages": ["EN-gb", "fr"] }), |c| matches!(c.language(), Some("en-GB" | "fr"))),
        one(json!({ "languages": ["e\0n"] }), |_| false),
        one(json!({ "tags": ["Data "] }), |c| c.tags().contains(&"data")),
        one(json!({ "tags": ["it's", "web"] }), |c| c.tags().contains(&"it's") && c.tags().contains(&"web")),
        one(json!({ "tags": ["\"}' OR true --"] }), |_| false),
        one(json!({ "isFree": true }), |c| c.price().0 == 0),
        one(json!({ "isFree": false }), |c| c.price().0 > 0),
        one(json!({ "price": { "currency": "EUR" } }), |c| c.price().1 == "EUR" || c.price().0 == 0),
        one(json!({ "price": { "currency": "EUR", "min": "19.90", "max": "20" } }), |c| c.price() == (1990, "EUR")),
        one(json!({ "price": { "currency": "EUR", "max": "19.89" } }), |c| c.price().0 == 0),
        one(json!({ "price": { "currency": "JPY", "min": "1990" } }), |c| c.price() == (1990, "JPY")),
        one(json!({ "price": { "currency": "USD", "min": "9", "max": "1" } }), |_| false),
        one(json!({ "minRating": 4.5 }), |c| c.rating() >= 450),
        one(json!({ "minRating": 0 }), |_| true),
        one(json!({ "query": "course 1" }), |_| false),
        one(json!({ "query": "Course 17, course" }), |c| c.0 == 17),
        one(json!({ "query": " " }), |_| true),
        one(json!({ "query": "?!" }), |_| false),
        one(
            json!({ "query": "cours", "isFree": true, "levels": ["BEGINNER"], "languages": ["en"], "minRating": 2 }),
            |c| {
                let spoken = matches!(c.language(), Some("en" | "en-GB"));
                c.price().0 == 0 && c.level() == Some("BEGINNER") && spoken && c.rating() >= 200
            },
        ),
    ];
    for (number, instructor) in school.instructors.iter().enumerate() {
        let holds = move |course: &Modelled| course.instructor() == number;
        filters.push((json!({ "instructorId": instructor.id }), Box::new(holds)));
    }
    filters
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_filter_finds_what_the_model_says_and_nothing_that_is_not_public() {
    let school = School::with_sixty().await;
    for (filter, holds) in filters(&school) {
        school.check(&filter, &json!(null), 7, &holds).await;
        school.check(&filter, &json!({ "field": "PRICE", "direction": "ASC" }), 100, &holds).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_order_is_gone_through_once_in_either_direction() {
    let school = School::with_sixty().await;
    for field in ["PUBLISHED_AT", "POPULARITY", "RATING", "PRICE"] {
        for direction in ["ASC", "DESC"] {
            let order = json!({ "field": field, "direction": direction });
            for size in [1, 9, 48] {
                school.check(&json!(null), &order, size, &|_| true).await;
            }
            school.check(&json!({ "isFree": false }), &order, 4, &|course| course.price().0 > 0).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_of_another_order_is_refused_and_so_is_what_no_row_could_have() {
    let school = School::with_sixty().await;
    let ask = async |order: &str, after: &str| {
        let order = json!({ "field": order, "direction": "DESC" });
        school.app.send(None, COURSES, json!({ "sort": order, "after": after, "first": 1 })).await
    };
    let fields = ["PUBLISHED_AT", "POPULARITY", "RATING", "PRICE"];
    let mut cursors = Vec::new();
    for field in fields {
        let page = ask(field, "x").await;
        assert_eq!(page["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{page:#}");
        let variables = json!({ "sort": { "field": field, "direction": "DESC" }, "first": 1 });
        let page = school.app.data(None, COURSES, variables).await;
        cursors.push(page["courses"]["pageInfo"]["endCursor"].as_str().unwrap().to_owned());
    }
    for (field, own) in fields.iter().zip(&cursors) {
        for cursor in &cursors {
            let answer = ask(field, cursor).await;
            match cursor == own {
                true => assert!(answer.get("errors").is_none(), "{answer:#}"),
                false => {
                    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer:#}");
                    let message = answer["errors"][0]["message"].as_str().unwrap();
                    assert!(message.contains("is a cursor of courses"), "{message}");
                }
            }
        }
    }
    let id = "00000000-0000-4000-8000-000000000001";
    let forged = [
        ("PUBLISHED_AT", json!(["courses", [i64::MIN, id]])),
        ("PUBLISHED_AT", json!(["courses", [i64::MAX, id]])),
        ("POPULARITY", json!(["courses by popularity", [i64::MAX, id]])),
        ("RATING", json!(["courses by rating", ["5", id]])),
        ("PRICE", json!(["courses by price", ["E\0R", 1, id]])),
        ("PRICE", json!(["courses by price", ["EUR", 1, "x"]])),
    ];
    for (field, cursor) in forged {
        use base64::Engine;
        let cursor = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(cursor.to_string());
        let answer = ask(field, &cursor).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{field} {answer:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_that_makes_no_sense_says_so() {
    let app = TestApp::start().await;
    for (filter, words) in [
        (json!({ "minRating": 5.1 }), "minRating must be between 0 and 5"),
        (json!({ "minRating": -1 }), "minRating must be between 0 and 5"),
        (json!({ "price": { "currency": "EUR", "min": "0.005" } }), "price.min is no amount of EUR, which has 2"),
        (json!({ "price": { "currency": "JPY", "max": "0.5" } }), "price.max is no amount of JPY, which has 0"),
        (json!({ "price": { "currency": "EUR", "max": "99999999999999999999" } }), "price.max is no amount"),
        (json!({ "tags": vec!["x"; 51] }), "filter.tags has more than 50 items"),
        (json!({ "categoryId": "course_00000000000000000000000001" }), "category"),
    ] {
        let answer = app.send(None, COURSES, json!({ "filter": filter })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{filter} {answer:#}");
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains(words), "{filter} {answer:#}");
    }
}
