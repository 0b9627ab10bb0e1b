//! The waiting list of a session.

use super::*;

/// Users who wait for a seat longer than others, and have no hours left.
const WAITING: &str = "
    INSERT INTO users (id, email, name, role, created_at, updated_at)
        SELECT gen_random_uuid(), gen_random_uuid() || '@example.org', 'Member', 'STUDENT', now(), now()
        FROM generate_series(1, $count) n;
    INSERT INTO live_usage (user_id, month, allowed_minutes, attended_minutes)
        SELECT id, '2026-11-01', 120, 120 FROM users WHERE name = 'Member' ON CONFLICT DO NOTHING;
    INSERT INTO live_attendances (id, session_id, user_id, status, minutes, month, since)
        SELECT gen_random_uuid(), '$session', id, 'WAITING', 60, '2026-11-01', '2026-11-01'
        FROM users WHERE name = 'Member' LIMIT $count";

/// Issue 16: a waiting list that moves up. A seat that becomes free costs the same, however many lack hours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_of_those_who_wait_are_passed_over_for_a_free_seat() {
    let school = School::open().await;
    let ann = school.app.user("Ann", Role::Student).await;
    for (start, count, expected) in [(240, 19, "HELD"), (480, 20, "WAITING")] {
        let id = school.session(at(start), Some(2)).await;
        for user in [&school.sam, &ann] {
            assert_eq!(school.join(user, &id, false).await, "ELIGIBLE HELD");
        }
        assert_eq!(school.join(&school.tim, &id, true).await, "FULL WAITING");
        let session = id.parse::<lyceum::live::LiveSessionId>().unwrap().uuid().to_string();
        let waiting = WAITING.replace("$session", &session).replace("$count", &count.to_string());
        school.app.sql(&waiting).await;
        assert_eq!(school.leave(&school.sam, &id).await, "RELEASED");
        assert_eq!(school.place(&school.tim, &id).await, expected, "{count} before");
        if expected == "WAITING" {
            assert_eq!(school.leave(&ann, &id).await, "RELEASED");
            assert_eq!(school.place(&school.tim, &id).await, "WAITING", "the seat that stayed free changes nothing");
        }
        let seen = school.seen(Some(&school.ada), &id, "waitingCount").await;
        assert_eq!(seen["waitingCount"], if expected == "HELD" { count } else { count + 1 });
        // A seat that stays free is for who takes it.
        let joined = if expected == "HELD" { "ALREADY_JOINED HELD" } else { "ELIGIBLE HELD" };
        assert_eq!(school.join(&school.tim, &id, false).await, joined);
    }
}
