//! The list of users, held against a model of it.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use lyceum::accounts::{self, ImportedUser};

use super::*;
use crate::support::User;

const USERS: &str =
    "query ($filter: UserFilter, $sort: UserSort, $first: Int, $last: Int, $after: String, $before: String) {
    users(filter: $filter, sort: $sort, first: $first, last: $last, after: $after, before: $before) {
        totalCount edges { cursor node { id } } nodes { id name email role createdAt ban { reason } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";

/// A user as the model knows them.
#[derive(Clone, Debug)]
struct Modelled {
    id: String,
    email: String,
    name: String,
    role: Role,
    created_at: DateTime<Utc>,
    banned: bool,
}

/// A school, and what is known of it.
struct School {
    app: TestApp,
    root: User,
    people: Vec<Modelled>,
}

impl School {
    async fn new() -> School {
        let app = TestApp::start().await;
        let root = app.user("Root", Role::Admin).await;
        let people = vec![Modelled {
            id: root.id.clone(),
            email: "root@people.example".into(),
            name: "Root".into(),
            role: Role::Admin,
            created_at: app.app.clock.now(),
            banned: false,
        }];
        School { app, root, people }
    }

    async fn add(&mut self, people: &[(String, String, Role)]) {
        let new: Vec<ImportedUser> = people
            .iter()
            .map(|(name, email, role)| ImportedUser {
                email: email.clone(),
                name: name.clone(),
                role: *role,
                password_hash: "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$nobody".into(),
            })
            .collect();
        let made = accounts::import(&self.app.app, &new).await.unwrap();
        self.people.extend(made.into_iter().map(|user| Modelled {
            id: user.id.encode(),
            email: user.email,
            name: user.name,
            role: user.role,
            created_at: user.created_at,
            banned: false,
        }));
    }

    /// Forty people: some with equal names but for the case, some of the same instant, all roles, some banned.
    async fn with_forty() -> School {
        let mut school = School::new().await;
        let names = ["ada", "Ada", "ADA", "Bob", "bea", "Özil", "özil", "Zoe", "ab", "Abc"];
        for chunk in 0..8 {
            let people: Vec<_> = (0..5)
                .map(|number| {
                    let number = chunk * 5 + number;
                    let role = [Role::Student, Role::Student, Role::Instructor, Role::Student][number % 4];
                    (names[number % 10].to_owned(), format!("p{}@school.example", (number * 17) % 40), role)
                })
                .collect();
            school.add(&people).await;
            school.app.app.clock.advance(TimeDelta::minutes(1));
        }
        for number in [3, 8, 12, 13, 30, 31] {
            let until = match number % 3 {
                0 => Value::Null,
                1 => json!("2026-11-20T09:20:00Z"),
                // Over by the time that anybody looks.
                _ => json!("2026-11-20T09:08:30Z"),
            };
            let body = ban(&school.app, &school.root.token, &school.people[number].id, until).await;
            assert_eq!(body["data"]["banUser"]["userErrors"], json!([]), "{body:#}");
            school.people[number].banned = number % 3 != 2;
        }
        school.app.app.clock.advance(TimeDelta::minutes(1));
        school
    }

    async fn page(&self, arguments: Value) -> Value {
        let mut data = self.app.data(Some(&self.root.token), USERS, arguments).await;
        let list = data["users"].take();
        let edges: Vec<&Value> = list["edges"].as_array().unwrap().iter().map(|edge| &edge["node"]["id"]).collect();
        let nodes: Vec<&Value> = list["nodes"].as_array().unwrap().iter().map(|node| &node["id"]).collect();
        assert_eq!(edges, nodes, "the same twice");
        list
    }

    /// The ids of all pages of `size` and the count, from the front or from the back.
    async fn all(&self, filter: &Value, order: &Value, size: usize, backward: bool) -> (Vec<String>, usize) {
        let (count, cursor, more, end) = match backward {
            true => ("last", "before", "hasPreviousPage", "startCursor"),
            false => ("first", "after", "hasNextPage", "endCursor"),
        };
        let (mut seen, mut place) = (Vec::new(), Value::Null);
        loop {
            let page = self.page(json!({ "filter": filter, "sort": order, count: size, cursor: place })).await;
            let ids = ids(&page);
            assert!(ids.len() <= size && seen.len() <= 100, "{page:#}");
            match backward {
                true => drop(seen.splice(0..0, ids)),
                false => seen.extend(ids),
            }
            if page["pageInfo"][more] == false {
                return (seen, page["totalCount"].as_u64().unwrap().try_into().unwrap());
            }
            place = page["pageInfo"][end].clone();
        }
    }

    /// What the list should be.
    fn expected(&self, filter: &Value, order: &Value) -> Vec<String> {
        let instant = |value: &Value| value.as_str().map(|text| text.parse::<DateTime<Utc>>().unwrap());
        let query = filter["query"].as_str().unwrap_or_default().trim().to_lowercase();
        let (from, to) = (instant(&filter["createdFrom"]), instant(&filter["createdTo"]));
        let mut found: Vec<&Modelled> = self
            .people
            .iter()
            .filter(|person| person.name.to_lowercase().contains(&query) || person.email.contains(&query))
            .filter(|person| {
                filter["roles"].as_array().is_none_or(|roles| roles.contains(&json!(person.role.as_str())))
            })
            .filter(|person| filter["isBanned"].as_bool().is_none_or(|banned| person.banned == banned))
            .filter(|person| from.is_none_or(|from| person.created_at >= from))
            .filter(|person| to.is_none_or(|to| person.created_at < to))
            .collect();
        let field = order["field"].as_str().unwrap_or("CREATED_AT");
        found.sort_by_cached_key(|person| {
            let key = match field {
                "NAME" => person.name.to_lowercase(),
                "EMAIL" => person.email.clone(),
                _ => person.created_at.to_rfc3339(),
            };
            (key, person.id.clone())
        });
        if order["direction"].as_str().unwrap_or("DESC") == "DESC" {
            found.reverse();
        }
        found.into_iter().map(|person| person.id.clone()).collect()
    }
}

fn ids(page: &Value) -> Vec<String> {
    page["nodes"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap().to_owned()).collect()
}

fn orders() -> Vec<Value> {
    let fields = ["CREATED_AT", "NAME", "EMAIL"];
    let each = fields
        .iter()
        .flat_map(|field| ["ASC", "DESC"].map(|direction| json!({ "field": field, "direction": direction })));
    std::iter::once(Value::Null).chain(each).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_filter_in_every_order_is_gone_through_once_in_either_direction() {
    let school = School::with_forty().await;
    let filters = [
        (Value::Null, 41),
        (json!({ "query": "AD" }), 12),
        (json!({ "query": "p3" }), 11),
        (json!({ "query": "ÖZ" }), 8),
        (json!({ "query": " school.example " }), 40),
        (json!({ "query": "nobody" }), 0),
        (json!({ "roles": ["INSTRUCTOR", "ADMIN"] }), 11),
        (json!({ "roles": ["ADMIN"] }), 1),
        (json!({ "roles": [] }), 0),
        (json!({ "isBanned": true }), 5),
        (json!({ "isBanned": false }), 36),
        (json!({ "createdFrom": "2026-11-20T09:02:00Z", "createdTo": "2026-11-20T09:04:00Z" }), 10),
        (json!({ "query": "b", "roles": ["STUDENT"], "isBanned": false, "createdFrom": "2026-11-20T09:01:00Z" }), 9),
    ];
    for (filter, count) in filters {
        for order in orders() {
            let expected = school.expected(&filter, &order);
            assert_eq!(expected.len(), count, "{filter} {order}: the model itself");
            for size in [3, 40, 100] {
                for backward in [false, true] {
                    let found = school.all(&filter, &order, size, backward).await;
                    assert_eq!(found, (expected.clone(), count), "{filter} {order} by {size}, backward: {backward}");
                }
            }
        }
    }
    let page = school.page(json!({})).await;
    assert_eq!((ids(&page).len(), &page["totalCount"]), (20, &json!(41)), "20 if nothing is said");
    let banned = school.page(json!({ "filter": { "isBanned": true } })).await;
    let reasons = banned["nodes"].as_array().unwrap().iter().filter(|user| user["ban"]["reason"].is_string());
    assert_eq!(reasons.count(), 5, "{banned:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_registers_meanwhile_neither_hides_nor_repeats_the_others() {
    for order in orders() {
        let mut school = School::with_forty().await;
        let old: HashSet<String> = school.people.iter().map(|person| person.id.clone()).collect();
        let (mut seen, mut place) = (Vec::new(), Value::Null);
        for number in 0..100 {
            let page = school.page(json!({ "sort": order, "first": 4, "after": place })).await;
            seen.extend(ids(&page));
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            place = page["pageInfo"]["endCursor"].clone();
            // Few enough that the list comes to an end.
            let name = ["aa", "mm", "zz"][number % 3];
            school.add(&[(name.into(), format!("{name}{number}@school.example"), Role::Student)]).await;
        }
        let unique: HashSet<&String> = seen.iter().collect();
        assert_eq!(unique.len(), seen.len(), "{order}: nobody twice");
        assert!(old.iter().all(|id| unique.contains(id)), "{order}: nobody is missing");
        let whole = school.expected(&Value::Null, &order);
        let shown: Vec<&String> = whole.iter().filter(|id| unique.contains(id)).collect();
        assert_eq!(seen.iter().collect::<Vec<_>>(), shown, "{order}: in order");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_character_of_a_search_is_special() {
    let mut school = School::new().await;
    let names = ["100% Ada", "100 Ada", "a_b", "axb", "back\\slash", "O'Hara", "$1", "ﬁn"];
    let people: Vec<_> = (0..)
        .zip(names)
        .map(|(number, name)| (name.to_owned(), format!("n{number}@x.example"), Role::Student))
        .collect();
    school.add(&people).await;
    for (query, expected) in [
        ("%", vec!["100% Ada"]),
        ("100%", vec!["100% Ada"]),
        ("_", vec!["a_b"]),
        ("a_b", vec!["a_b"]),
        ("\\", vec!["back\\slash"]),
        ("\\%", vec![]),
        ("'", vec!["O'Hara"]),
        ("$1", vec!["$1"]),
        ("100 a", vec!["100 Ada"]),
        ("a\0b", vec![]),
        ("\0", vec![]),
        ("N3@X", vec!["axb"]),
    ] {
        let page = school.page(json!({ "filter": { "query": query }, "first": 100 })).await;
        let found: Vec<&str> =
            page["nodes"].as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap()).collect();
        assert_eq!(found, expected, "{query:?}");
        assert_eq!(page["totalCount"], expected.len(), "{query:?}");
    }
    let everybody = school.page(json!({ "filter": { "query": "  " } })).await;
    assert_eq!(everybody["totalCount"], 9, "an empty search finds all");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_is_good_for_its_own_list_and_a_forged_one_is_told() {
    let school = School::with_forty().await;
    let by = |field: &str| json!({ "field": field, "direction": "ASC" });
    let place = school.page(json!({ "sort": by("NAME"), "first": 5 })).await["pageInfo"]["endCursor"].clone();
    let id = uuid::Uuid::nil();
    let forged = |list: &str, key: &str| json!(lyceum::graphql::page::encode_cursor(list, &(key, id)));
    for (field, cursor) in [
        ("EMAIL", place.clone()),
        ("CREATED_AT", place),
        ("CREATED_AT", forged("users by createdAt", "yesterday")),
        ("CREATED_AT", forged("users by createdAt", "-9223372036854775808")),
        ("CREATED_AT", forged("users by createdAt", "99999999999999999999")),
        ("NAME", forged("users by name", "a\0")),
        ("EMAIL", forged("users by email", "a\0")),
        ("EMAIL", json!("💥")),
    ] {
        let arguments = json!({ "sort": by(field), "first": 5, "after": cursor });
        let body = school.app.send(Some(&school.root.token), USERS, arguments).await;
        assert_eq!(code(&body), "BAD_USER_INPUT", "{field} {cursor}: {body:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_is_one_statement_and_its_count_another_whatever_its_size() {
    let school = School::with_forty().await;
    let root = Some(&*school.root.token);
    for (size, query, expected) in [
        (1, "users(first: $first) { nodes { id email ban { reason } } }", 1),
        (20, "users(first: $first) { nodes { id email ban { reason } } }", 1),
        (1, "users(first: $first, filter: { query: \"a\" }) { totalCount nodes { id } }", 2),
        (20, "users(first: $first, filter: { query: \"a\" }) { totalCount nodes { id } }", 2),
    ] {
        let query = format!("query ($first: Int!) {{ {query} }}");
        assert_eq!(school.app.statements(root, &query, json!({ "first": size })).await, expected, "{size}: {query}");
    }
}
