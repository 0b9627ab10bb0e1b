//! Positions without gaps, and counts in the row that agree with what they count.

use diesel::sql_types::Integer;
use diesel_async::RunQueryDsl;
use futures_util::future::join_all;
use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::support::app::Course;
use crate::support::{TestApp, User};

const COUNTS: &str = "lessonCount durationSeconds";

/// The course's counts as its row has them.
async fn stored(app: &TestApp, user: &User, course: &str) -> (i64, i64) {
    let query = format!("query ($id: ID!) {{ node(id: $id) {{ ... on Course {{ {COUNTS} }} }} }}");
    let found = app.data(Some(&user.token), &query, json!({ "id": course })).await;
    pair(&found["node"])
}

fn pair(course: &Value) -> (i64, i64) {
    (course["lessonCount"].as_i64().unwrap(), course["durationSeconds"].as_i64().unwrap())
}

/// The same, counted by the database. There is one course.
async fn recounted(app: &TestApp) -> (i64, i64) {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = Integer)]
        lessons: i32,
        #[diesel(sql_type = Integer)]
        seconds: i32,
    }
    let sql = "SELECT count(*)::int AS lessons, coalesce(sum(duration_seconds), 0)::int AS seconds
        FROM lessons WHERE published_at IS NOT NULL";
    let mut conn = app.app.db.read().await.unwrap();
    let row: Row = diesel::sql_query(sql).get_result(&mut *conn).await.unwrap();
    (row.lessons.into(), row.seconds.into())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_created_at_once_gets_positions_without_gaps_or_duplicates() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Engines", 0).await;
    let positions = async |field: &str, thing: &str, input: Value| {
        let selection = format!("{thing} {{ position }}");
        let made = join_all((0..20).map(|_| app.mutate(&ada, field, &selection, input.clone()))).await;
        let mut found: Vec<i64> = made.iter().map(|made| made[thing]["position"].as_i64().unwrap()).collect();
        found.sort_unstable();
        found
    };
    let sections = positions("createSection", "section", json!({ "courseId": course.id, "title": "x" })).await;
    assert_eq!(sections, (2..=21).collect::<Vec<_>>(), "one was there before");
    let input = json!({ "sectionId": course.section, "title": "x", "durationSeconds": 1 });
    assert_eq!(positions("createLesson", "lesson", input).await, (1..=20).collect::<Vec<_>>());
    let query = "query ($id: ID!) { node(id: $id) { ... on Course { sections(first: 100) { nodes { position } } } } }";
    let outline = app.data(Some(&ada.token), query, json!({ "id": course.id })).await;
    let shown: Vec<i64> = outline["node"]["sections"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|section| section["position"].as_i64().unwrap())
        .collect();
    assert_eq!(shown, (1..=21).collect::<Vec<_>>(), "and they are shown in order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lesson_published_by_many_at_once_is_counted_and_announced_once() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Engines", 1).await;
    let lesson = app.lesson(&ada, &course, "Second").await;
    join_all((0..8).map(|_| app.publish(&ada, &lesson))).await;
    assert_eq!(stored(&app, &ada, &course.id).await, (2, 600));
    app.settle().await;
    let videos = app.data(None, "{ newVideos { totalCount nodes { lesson { id } } } }", json!({})).await;
    assert_eq!(videos["newVideos"], json!({ "totalCount": 1, "nodes": [{ "lesson": { "id": lesson } }] }));
}

/// A generator that is the same for the same seed (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % limit
    }
}

/// A lesson as the model knows it.
struct Modelled {
    id: String,
    seconds: i64,
    published: bool,
}

async fn step(
    app: &TestApp,
    ada: &User,
    sections: &mut Vec<String>,
    lessons: &mut Vec<Modelled>,
    dice: &mut Dice,
    course: &Course,
) -> Option<(i64, i64)> {
    let seconds = i64::try_from(dice.below(1000) + 1).unwrap();
    let selection = format!("lesson {{ id course {{ {COUNTS} }} }}");
    let answer = match (dice.below(10), lessons.len()) {
        (0, _) => {
            let input = json!({ "courseId": course.id, "title": "More" });
            let made = app.mutate(ada, "createSection", "section { id }", input).await;
            sections.push(made["section"]["id"].as_str().unwrap().to_owned());
            return None;
        }
        (1..=3, _) | (_, 0) => {
            let section = &sections[dice.below(sections.len())];
            let input = json!({ "sectionId": section, "title": "New", "kind": "ARTICLE", "durationSeconds": seconds });
            let made = app.mutate(ada, "createLesson", &selection, input).await;
            lessons.push(Modelled { id: made["lesson"]["id"].as_str().unwrap().to_owned(), seconds, published: false });
            made
        }
        (4..=6, count) => {
            let lesson = &mut lessons[dice.below(count)];
            lesson.published = true;
            app.mutate(ada, "publishLesson", &selection, json!({ "lessonId": lesson.id })).await
        }
        (7..=8, count) => {
            let lesson = &mut lessons[dice.below(count)];
            lesson.seconds = seconds;
            let input = json!({ "lessonId": lesson.id, "durationSeconds": seconds });
            app.edit(ada, "updateLesson", &selection, input).await
        }
        (_, count) => {
            let lesson = &lessons[dice.below(count)];
            app.edit(ada, "updateLesson", &selection, json!({ "lessonId": lesson.id, "title": "Renamed" })).await
        }
    };
    Some(pair(&answer["lesson"]["course"]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_any_sequence_of_changes_the_counts_are_what_a_recount_finds() {
    for seed in [1, 0x5eed, 0xdead_beef, 20_261_120] {
        let app = TestApp::start().await;
        let ada = app.user("Ada", Role::Instructor).await;
        let course = app.course(&ada, "Engines", 0).await;
        let (mut sections, mut lessons, mut dice) = (vec![course.section.clone()], Vec::new(), Dice(seed));
        for number in 0..60 {
            let answered = step(&app, &ada, &mut sections, &mut lessons, &mut dice, &course).await;
            let published = lessons.iter().filter(|lesson| lesson.published);
            let expected = published.fold((0, 0), |(count, sum), lesson| (count + 1, sum + lesson.seconds));
            assert_eq!(stored(&app, &ada, &course.id).await, expected, "seed {seed}, step {number}");
            assert!(
                answered.is_none_or(|answered| answered == expected),
                "seed {seed}, step {number}: the answer is {answered:?}, not {expected:?}"
            );
        }
        assert_eq!(stored(&app, &ada, &course.id).await, recounted(&app).await, "seed {seed}");
        assert!(lessons.iter().any(|lesson| lesson.published), "seed {seed}: the sequence was worth its while");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_made_at_once_leave_counts_that_a_recount_finds() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Engines", 0).await;
    let lessons = join_all((0..10).map(|_| app.lesson(&ada, &course, "x"))).await;
    for round in 0..4 {
        let changes = lessons.iter().enumerate().map(async |(number, lesson)| {
            let input = json!({ "lessonId": lesson, "durationSeconds": 1 + (number * 7 + round * 13) % 50 });
            tokio::join!(app.publish(&ada, lesson), app.edit(&ada, "updateLesson", "lesson { id }", input));
        });
        join_all(changes).await;
        let (lessons, seconds) = stored(&app, &ada, &course.id).await;
        assert_eq!((lessons, seconds), recounted(&app).await, "round {round}");
        assert_eq!(lessons, 10, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_course_longer_than_an_int_is_a_user_error() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let course = app.course(&ada, "Endless", 1).await;
    let lesson = app.lesson(&ada, &course, "One too many").await;
    app.sql("UPDATE courses SET duration_seconds = 2147483647 - 299").await;
    let query = "mutation ($id: ID!) { publishLesson(input: { lessonId: $id }) { lesson { id } userErrors { code } } }";
    let data = app.data(Some(&ada.token), query, json!({ "id": lesson })).await;
    assert_eq!(data["publishLesson"], json!({ "lesson": null, "userErrors": [{ "code": "OUT_OF_RANGE" }] }));
}
