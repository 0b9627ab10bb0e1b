//! Lists of reviews: filters, orders, pages, and what they cost.

use chrono::TimeDelta;

use super::*;

const PAGE: &str = "query ($id: ID!, $first: Int!, $sort: ReviewSort!) { course(id: $id) { \
    reviews(first: $first, sort: $sort, filter: { stars: [1, 2, 3, 4, 5] }) { totalCount nodes { stars bodyHtml \
    voteCount viewerHasVoted viewerActions author { name } course { id title } \
    response { body author { name } parent { id } } } } } }";

impl Room {
    async fn vote_for(&self, user: &User, post: &str) {
        self.app.mutate(user, "votePost", "post { id voteCount }", json!({ "postId": post, "voted": true })).await;
    }

    async fn pass(&self, seconds: i64) {
        self.app.app.clock.advance(TimeDelta::seconds(seconds));
        self.app.settle().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reviews_are_filtered_by_stars_and_sorted_by_votes_or_time() {
    let room = Room::open().await;
    let mut ids = Vec::new();
    for (name, stars) in [("One", 5), ("Two", 3), ("Three", 5), ("Four", 1)] {
        let user = room.student(name).await;
        ids.push(room.review(&user, stars, name).await);
        room.pass(1).await;
    }
    for (user, id) in [(&room.sam, &ids[1]), (&room.tim, &ids[1]), (&room.sam, &ids[0])] {
        room.vote_for(user, id).await;
    }
    assert_eq!(room.seen(Some(&room.sam), &ids[1]).await["voteCount"], 2, "at once");
    room.pass(2).await;
    for (arguments, expected) in [
        ("", vec!["Four", "Three", "Two", "One"]),
        ("(sort: NEWEST, filter: {})", vec!["Four", "Three", "Two", "One"]),
        ("(sort: MOST_HELPFUL)", vec!["Two", "One", "Four", "Three"]),
        ("(filter: { stars: [5] })", vec!["Three", "One"]),
        ("(filter: { stars: [5] }, sort: MOST_HELPFUL)", vec!["One", "Three"]),
        ("(filter: { stars: [1, 3] })", vec!["Four", "Two"]),
        ("(filter: { stars: [2] })", vec![]),
        ("(filter: { stars: [70000, 0] })", vec![]),
        ("(filter: { stars: [] })", vec![]),
    ] {
        assert_eq!(room.bodies(None, arguments).await, expected, "{arguments}");
    }
    let query = "query ($id: ID!, $sort: ReviewSort!, $first: Int, $after: String, $last: Int, $before: String) {
        course(id: $id) { reviews(sort: $sort, first: $first, after: $after, last: $last, before: $before) {
            nodes { body } pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } } }";
    for sort in ["NEWEST", "MOST_HELPFUL"] {
        let all = room.bodies(None, &format!("(sort: {sort})")).await;
        for (size, from, limit) in [("first", "after", "endCursor"), ("last", "before", "startCursor")] {
            let (mut cursor, mut read) = (Value::Null, Vec::new());
            loop {
                let variables = json!({ "id": room.course.id, "sort": sort, size: 1, from: cursor });
                let data = room.app.data(None, query, variables).await;
                let list = &data["course"]["reviews"];
                let bodies: Vec<String> =
                    list["nodes"].as_array().unwrap().iter().map(|it| it["body"].as_str().unwrap().into()).collect();
                read = if size == "first" { [read, bodies].concat() } else { [bodies, read].concat() };
                let more = if size == "first" { "hasNextPage" } else { "hasPreviousPage" };
                if list["pageInfo"][more] == false {
                    break;
                }
                cursor = list["pageInfo"][limit].clone();
            }
            assert_eq!(read, all, "{sort} {size}");
        }
    }
    let first = json!({ "id": room.course.id, "sort": "NEWEST", "first": 1 });
    let cursor = room.app.data(None, query, first).await["course"]["reviews"]["pageInfo"]["endCursor"].take();
    let wrong = json!({ "id": room.course.id, "sort": "MOST_HELPFUL", "first": 1, "after": cursor });
    let body = room.app.send(None, query, wrong).await;
    assert_eq!(body["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_twenty_reviews_takes_as_many_statements_as_one_of_one() {
    let room = Room::open().await;
    for number in 0..20 {
        let user = room.student(&format!("User{number}")).await;
        let id = room.review(&user, 1 + number % 5, &format!("Review {number}")).await;
        room.reply(&room.ada, &id, "Thanks.").await;
        room.vote_for(&room.sam, &id).await;
    }
    room.review(&room.sam, 3, "So so.").await;
    room.pass(2).await;
    for (token, sort) in
        [(None, "NEWEST"), (Some(&*room.sam.token), "MOST_HELPFUL"), (Some(&*room.ada.token), "NEWEST")]
    {
        let variables = |first: i32| json!({ "id": room.course.id, "first": first, "sort": sort });
        // The latest one of all has no response, so that a page of one would not ask for its author.
        let one = room.app.statements(token, PAGE, variables(2)).await;
        assert_eq!(room.app.statements(token, PAGE, variables(20)).await, one, "{sort}");
        let data = room.app.data(token, PAGE, variables(20)).await;
        let list = &data["course"]["reviews"];
        assert_eq!((list["nodes"].as_array().unwrap().len(), &list["totalCount"]), (20, &json!(21)));
    }
}
