//! Who may do what, by their role, the source of their access and the state of the lesson.

use super::*;

/// What a user can do about a question of Tim's: read it by id, find it in the lesson's list, the course's list and by
/// words; ask, reply, vote, follow and resolve.
struct Probe {
    reads: bool,
    codes: Vec<(&'static str, String)>,
}

async fn probe(room: &Room, user: Option<&User>, question: &str, word: &str) -> Probe {
    let by_id = !room.node(user, question, "id").await.is_null();
    let lesson = room.titles(user, "(first: 100)").await.iter().any(|title| title == word);
    let course = room.course_titles(user, "(first: 100)").await.iter().any(|title| title == word);
    let found = room.course_titles(user, &format!("(filter: {{ query: \"{word}\" }})")).await;
    assert_eq!(by_id, found == [word.to_owned()], "by id and by words: {found:?}");
    assert_eq!((lesson, course), (by_id, by_id), "in both lists");
    let actions = room.node(user, question, "viewerActions").await["viewerActions"].take();
    assert_eq!(room.course_actions(user, word).await, actions, "the same actions by id and in the course's list");
    let ask = json!({ "lessonId": room.lesson, "title": "Probe", "body": "x" });
    let codes = vec![
        ("ask", room.code(user, "createQuestion", ask).await),
        ("reply", room.code(user, "createReply", json!({ "parentId": question, "body": "x" })).await),
        ("vote", room.code(user, "votePost", json!({ "postId": question, "voted": true })).await),
        ("follow", room.code(user, "followQuestion", json!({ "questionId": question, "following": true })).await),
        ("resolve", room.code(user, "setQuestionResolved", json!({ "questionId": question, "resolved": true })).await),
        ("delete", room.code(user, "deletePost", json!({ "postId": question })).await),
    ];
    Probe { reads: by_id, codes }
}

/// What each kind of user gets: whether they read, and the codes of ask, reply, vote, follow, resolve and delete.
type Expected = (bool, [&'static str; 6]);

const STRANGER: Expected = (false, ["NOT_FOUND"; 6]);
const READER: Expected = (true, ["NOT_ALLOWED", "NOT_ALLOWED", "NOT_ALLOWED", "", "NOT_ALLOWED", "NOT_ALLOWED"]);
const WRITER: Expected = (true, ["", "", "", "", "NOT_ALLOWED", "NOT_ALLOWED"]);
const TEAM: Expected = (true, ["", "", "", "", "", "NOT_ALLOWED"]);
const NOBODY: Expected = (false, ["UNAUTHENTICATED"; 6]);
const PASSER_BY: Expected = (true, ["UNAUTHENTICATED"; 6]);

/// A name, the source and the scope of an entitlement, further columns with their values, and what is expected.
type Case = (&'static str, &'static str, &'static str, (&'static str, &'static str), Expected);

fn compare(who: &str, probe: &Probe, (reads, codes): Expected) {
    assert_eq!(probe.reads, reads, "{who} reads");
    let found: Vec<&str> = probe.codes.iter().map(|(_, code)| code.as_str()).collect();
    assert_eq!(found, codes, "{who}: {:?}", probe.codes);
}

fn uuid(id: &str) -> uuid::Uuid {
    lyceum::graphql::id::split(id).unwrap().1
}

impl Room {
    /// Gives a user access to the course or to everything, as another feature will.
    async fn entitle(&self, user: &User, source: &str, scope: &str, rest: (&str, &str)) {
        let course = if scope == "COURSE" { format!("'{}'", uuid(&self.course.id)) } else { "NULL".into() };
        let ((columns, values), user) = (rest, uuid(&user.id));
        let sql = format!(
            "INSERT INTO entitlements (id, user_id, scope, course_id, source, starts_at{columns}) VALUES
             (gen_random_uuid(), '{user}', '{scope}', {course}, '{source}', '2020-01-01'{values})"
        );
        self.app.sql(&sql).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_user_may_do_follows_from_their_role_and_the_source_of_their_access() {
    let room = Room::open().await;
    let question = room.ask(&room.tim, "Steam").await;
    let current = ("", "");
    let cases: [Case; 9] = [
        ("Bought", "PURCHASE", "COURSE", current, WRITER),
        ("Member", "MEMBERSHIP", "EVERYTHING", current, WRITER),
        ("Gifted", "GIFT", "COURSE", current, WRITER),
        ("Granted", "GRANT", "COURSE", current, WRITER),
        ("Free", "FREE", "COURSE", current, WRITER),
        ("Expired", "MEMBERSHIP", "EVERYTHING", (", expires_at", ", '2020-02-01'"), STRANGER),
        ("Refunded", "PURCHASE", "COURSE", (", ended_at, end_reason", ", '2020-02-01', 'REFUNDED'"), STRANGER),
        ("Revoked", "GRANT", "COURSE", (", ended_at, end_reason", ", '2020-02-01', 'REVOKED'"), STRANGER),
        ("Later", "GIFT", "COURSE", (", expires_at", ", '2999-01-01'"), WRITER),
    ];
    for (name, source, scope, rest, expected) in cases {
        for role in [Role::Student, Role::Instructor] {
            let name = format!("{name}{role}");
            let user = room.app.user(&name, role).await;
            room.entitle(&user, source, scope, rest).await;
            compare(&name, &probe(&room, Some(&user), &question, "Steam").await, expected);
        }
    }
    let stranger = room.app.user("Stranger", Role::Instructor).await;
    for (who, user, expected) in [
        ("a student without access", Some(&room.eve), STRANGER),
        ("another instructor", Some(&stranger), STRANGER),
        ("the instructor", Some(&room.ada), TEAM),
        ("an administrator", Some(&room.root), TEAM),
        ("nobody", None, NOBODY),
    ] {
        compare(who, &probe(&room, user, &question, "Steam").await, expected);
    }
    // Whom the channel's owner lets edit its courses is in the team.
    room.app.sql("UPDATE channels SET members_edit = true").await;
    let member = format!(
        "INSERT INTO channel_members (channel_id, user_id, joined_at)
         SELECT channel_id, '{}', now() FROM courses WHERE channel_id IS NOT NULL LIMIT 1",
        uuid(&stranger.id)
    );
    room.app.sql(&member).await;
    room.app.forget_rows();
    compare("an editor of the channel", &probe(&room, Some(&stranger), &question, "Steam").await, TEAM);
    let ban = json!({ "userId": room.sam.id, "reason": "Spam" });
    room.app.mutate(&room.root, "banUser", "user { id }", ban).await;
    let query = "query ($id: ID!) { node(id: $id) { id } }";
    let banned = room.app.send(Some(&room.sam.token), query, json!({ "id": question })).await;
    assert_eq!(banned["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{banned:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_user_may_do_follows_from_the_state_of_the_lesson() {
    let room = Room::open().await;
    let question = room.ask(&room.tim, "Steam").await;
    let lesson = uuid(&room.lesson);
    let visible = "published_at = '2026-11-20', is_preview = false, unlock_at = NULL, unlock_after_days = NULL";
    let set = |what: &str| format!("UPDATE lessons SET {what} WHERE id = '{lesson}'");
    let unlocked = format!(
        "{}; UPDATE entitlements SET starts_at = starts_at - interval '121 hours'",
        set("unlock_after_days = 5")
    );
    let cases: [(&str, String, Expected, Expected, Expected); 10] = [
        ("a preview that is locked", set("is_preview = true, unlock_at = '2999-01-01'"), PASSER_BY, READER, READER),
        ("unlocked since", set("unlock_at = '2020-01-01'"), NOBODY, STRANGER, WRITER),
        ("locked for five days", set("unlock_after_days = 5"), NOBODY, STRANGER, STRANGER),
        ("unlocked after five days", unlocked, NOBODY, STRANGER, WRITER),
        ("published", String::new(), NOBODY, STRANGER, WRITER),
        ("a preview", format!("UPDATE lessons SET is_preview = true WHERE id = '{lesson}'"), PASSER_BY, READER, WRITER),
        (
            "a draft",
            format!("UPDATE lessons SET published_at = NULL WHERE id = '{lesson}'"),
            NOBODY,
            STRANGER,
            STRANGER,
        ),
        (
            "locked until later",
            format!("UPDATE lessons SET unlock_at = '2999-01-01' WHERE id = '{lesson}'"),
            NOBODY,
            STRANGER,
            STRANGER,
        ),
        ("in an unpublished course", "UPDATE courses SET published_at = NULL".into(), NOBODY, STRANGER, STRANGER),
        (
            "in an archived course",
            "UPDATE courses SET published_at = NULL, archived_at = '2026-11-20'".into(),
            NOBODY,
            STRANGER,
            WRITER,
        ),
    ];
    for (state, sql, nobody, stranger, entitled) in cases {
        room.app.sql(&format!("UPDATE lessons SET {visible} WHERE id = '{lesson}'")).await;
        room.app.sql("UPDATE courses SET published_at = '2026-11-20', archived_at = NULL").await;
        if !sql.is_empty() {
            room.app.sql(&sql).await;
        }
        room.app.forget_rows();
        let of = [(None, nobody), (Some(&room.eve), stranger), (Some(&room.sam), entitled), (Some(&room.ada), TEAM)];
        for (user, expected) in of {
            let who = format!("{state}, {:?}", user.map(|user| &user.id));
            if state.contains("course") && !expected.0 {
                // The lists are not reached either.
                assert_eq!(room.node(user, &question, "id").await, Value::Null, "{who}");
                let reply = room.code(user, "createReply", json!({ "parentId": question, "body": "x" })).await;
                assert_eq!(reply, expected.1[1], "{who}");
            } else if state == "a draft" && !expected.0 {
                assert_eq!(room.node(user, &question, "id").await, Value::Null, "{who}");
                assert_eq!(room.course_titles(user, "").await, [""; 0], "{who}");
            } else {
                compare(&who, &probe(&room, user, &question, "Steam").await, expected);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_token_reads_and_writes_within_its_scopes() {
    let room = Room::open().await;
    let question = room.ask(&room.sam, "Steam").await;
    let token = async |scope: &str| {
        let input = json!({ "name": scope, "scopes": [scope], "expiresAt": "2027-01-01T00:00:00Z" });
        let made = room.app.mutate(&room.sam, "createApiToken", "token", input).await;
        User { id: room.sam.id.clone(), token: made["token"].as_str().unwrap().to_owned() }
    };
    for (scope, reads, writes) in
        [("READ_COURSES", false, "FORBIDDEN"), ("READ_DISCUSSIONS", true, "FORBIDDEN"), ("WRITE_DISCUSSIONS", true, "")]
    {
        let bearer = token(scope).await;
        assert_eq!(room.node(Some(&bearer), &question, "id").await.is_null(), !reads, "{scope}");
        assert_eq!(room.titles(Some(&bearer), "").await == ["Steam"], reads, "{scope}");
        assert_eq!(room.course_titles(Some(&bearer), "").await == ["Steam"], reads, "{scope}");
        let reply = json!({ "parentId": question, "body": "x" });
        assert_eq!(room.code(Some(&bearer), "createReply", reply).await, writes, "{scope}");
    }
}
