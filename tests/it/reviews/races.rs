//! Many at once: the rating is always that of the reviews which count.

use futures_util::future::join_all;
use lyceum::graphql::id;

use super::*;

/// The number of reviews that the races begin with.
const MANY: usize = 200;

/// What the rating is, from 5 stars to 1, by the posts themselves.
const TRUTH: &str = "SELECT string_agg((SELECT count(*) FROM reviews JOIN posts ON posts.id = post_id \
    WHERE reviews.stars = number AND hidden_at IS NULL AND deleted_at IS NULL)::text, ' ' ORDER BY number DESC) \
    FROM generate_series(1, 5) AS number";

impl Room {
    /// The rating must be exactly that of the posts.
    async fn is_exact(&self) -> [i64; 5] {
        self.app.forget_rows();
        let (average, counts) = self.rating().await;
        let truth = counts.map(|count| count.to_string()).join(" ");
        assert_eq!(truth, self.app.sql(TRUTH).await);
        let stars: i64 = (1..=5).rev().zip(counts).map(|(stars, count)| stars * count).sum();
        let count: i64 = counts.iter().sum();
        let expected = (100.0 * stars as f64 / count as f64).round() / 100.0;
        assert_eq!(average, json!(expected));
        counts
    }
}

/// Sends a mutation, again after a while if the server was too busy.
async fn send(app: &TestApp, token: Option<&str>, query: &str, variables: Value) -> Value {
    for _ in 0..100 {
        let body = app.send(token, query, variables.clone()).await;
        if body["errors"][0]["extensions"]["code"] != "UNAVAILABLE" {
            return body;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the server is always too busy");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_reviews_edits_and_deletions_at_once_are_all_counted() {
    let room = Room::open().await;
    let peer = room.app.peer().await;
    let mut users = Vec::new();
    for number in 0..MANY {
        users.push(room.app.user(&format!("User{number}"), Role::Student).await);
    }
    let course = id::split(&room.course.id).unwrap().1;
    let entitled = format!(
        "INSERT INTO entitlements (id, user_id, scope, course_id, source, starts_at)
         SELECT gen_random_uuid(), id, 'COURSE', '{course}', 'PURCHASE', '2020-01-01' FROM users WHERE name LIKE 'User%'"
    );
    room.app.sql(&entitled).await;
    let node = |number: usize| if number.is_multiple_of(2) { &room.app } else { &peer };
    let create =
        "mutation ($input: CreateReviewInput!) { createReview(input: $input) { review { id } userErrors { code } } }";
    let update =
        "mutation ($input: UpdateReviewInput!) { updateReview(input: $input) { review { id } userErrors { code } } }";
    let delete =
        "mutation ($input: DeletePostInput!) { deletePost(input: $input) { deletedPostId userErrors { code } } }";
    let moderate = "mutation ($input: ModeratePostInput!) { moderatePost(input: $input) { userErrors { code } } }";
    let written = |number: usize| json!({ "courseId": room.course.id, "stars": 1 + number % 5, "body": "Reviewed." });
    let made = users.iter().enumerate().map(async |(number, user)| {
        // Each is sent to both nodes at once: one of them writes it.
        let variables = json!({ "input": written(number) });
        let (one, other) = tokio::join!(
            send(&room.app, Some(&user.token), create, variables.clone()),
            send(&peer, Some(&user.token), create, variables)
        );
        let codes = [&one, &other].map(|body| body["data"]["createReview"]["userErrors"][0]["code"].clone());
        assert!(codes.contains(&json!("TAKEN")) && codes.contains(&Value::Null), "{one:#}\n{other:#}");
        let review = [one, other].into_iter().find_map(|mut body| {
            let review = body["data"]["createReview"]["review"]["id"].take();
            review.as_str().map(str::to_owned)
        });
        review.unwrap()
    });
    let ids = join_all(made).await;
    assert_eq!(room.is_exact().await, [40; 5]);

    let changed = users.iter().zip(&ids).enumerate().map(async |(number, (user, id))| {
        let (node, token) = (node(number), Some(&*user.token));
        let edit = |stars: usize| json!({ "input": { "reviewId": id, "version": 1, "stars": stars } });
        let gone = json!({ "input": { "postId": id } });
        let judged = |action: &str| json!({ "input": { "postId": id, "action": action } });
        let bodies = match number % 6 {
            0 => vec![send(node, token, update, edit(1 + (number + 2) % 5)).await],
            1 => {
                let (one, other) =
                    tokio::join!(send(node, token, update, edit(1)), send(&peer, token, update, edit(5)));
                vec![one, other]
            }
            2 => vec![send(node, token, delete, gone).await],
            3 => {
                let (one, other) =
                    tokio::join!(send(node, token, update, edit(2)), send(&room.app, token, delete, gone));
                vec![one, other]
            }
            4 => {
                let team = Some(&*room.ada.token);
                let (one, other) =
                    tokio::join!(send(node, token, update, edit(3)), send(&peer, team, moderate, judged("HIDE")));
                vec![one, other]
            }
            _ => {
                let gone = send(node, token, delete, gone).await;
                vec![gone, send(node, token, create, json!({ "input": written(number + 1) })).await]
            }
        };
        for body in bodies {
            assert!(body.get("errors").is_none(), "{body:#}");
        }
    });
    join_all(changed).await;
    let counts = room.is_exact().await;
    // Of six parts, two were deleted and one was hidden.
    let left = (0..MANY).filter(|number| ![2, 3, 4].contains(&(number % 6))).count();
    assert_eq!(counts.iter().sum::<i64>(), i64::try_from(left).unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_responses_at_once_one_is_written() {
    let room = Room::open().await;
    for (user, stars) in [(&room.sam, 4), (&room.tim, 2)] {
        let review = room.review(user, stars, "Reviewed.").await;
        let respond = async |user: &User| {
            room.code(Some(user), "createReply", json!({ "parentId": review, "body": "Thanks." })).await
        };
        let (one, other) = tokio::join!(respond(&room.ada), respond(&room.root));
        let mut codes = [one, other];
        codes.sort();
        assert_eq!(codes, ["", "NOT_ALLOWED"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_review_is_deleted_once_and_hidden_or_deleted() {
    let room = Room::open().await;
    for _ in 0..5 {
        let review = room.review(&room.sam, 4, "Good.").await;
        let delete = async || room.code(Some(&room.sam), "deletePost", json!({ "postId": review })).await;
        let (one, other, hidden) = tokio::join!(delete(), delete(), room.judge(&room.ada, &review, "HIDE"));
        let mut codes = [one, other];
        codes.sort();
        assert_eq!(codes, ["", "NOT_FOUND"]);
        assert!(["", "NOT_FOUND"].contains(&hidden.as_str()), "{hidden}");
        room.app.forget_rows();
        assert_eq!(room.rating().await, (Value::Null, [0; 5]));
    }
}
