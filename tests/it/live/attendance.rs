//! Seats: joining, waiting, leaving, recording and settling.

use super::*;

/// Brief 003, "Attendance Recording", "Attendance Tracking": recorded when a user joins; times are kept; all or nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joining_holds_an_hour_and_the_end_of_the_session_settles_it() {
    let school = School::open().await;
    let id = school.session(at(120), None).await;
    assert_eq!(school.join(&school.sam, &id, false).await, "ELIGIBLE HELD");
    assert_eq!(school.join(&school.tim, &id, false).await, "ELIGIBLE HELD");
    assert_eq!(school.hours(&school.sam, None).await, "0 1 2 1");
    // Again: nothing more is held.
    assert_eq!(school.join(&school.sam, &id, false).await, "ALREADY_JOINED HELD");
    assert_eq!(school.hours(&school.sam, None).await, "0 1 2 1");
    // Sam enters when the doors are open; Tim does not come.
    school.turn_to(at(110)).await;
    assert_eq!(school.join(&school.sam, &id, false).await, "ALREADY_JOINED HELD");
    school.turn_to(at(150)).await;
    assert_eq!(school.leave(&school.sam, &id).await, "HELD");
    school.turn_to(at(180)).await;
    assert_eq!(school.hours(&school.sam, None).await, "1 0 2 1", "all of the hour, however much was attended");
    assert_eq!(school.hours(&school.tim, None).await, "0 0 2 2");
    let selection = "status startedAt endedAt attendances { totalCount nodes { status joinedAt leftAt minutes settledAt user { name } } }";
    let seen = school.seen(Some(&school.ada), &id, selection).await;
    assert_eq!(
        seen,
        json!({
            "status": "ENDED", "startedAt": shown(110), "endedAt": shown(150),
            "attendances": { "totalCount": 2, "nodes": [
                { "status": "ATTENDED", "joinedAt": shown(110), "leftAt": shown(150), "minutes": 60, "settledAt": shown(180), "user": { "name": "Sam" } },
                { "status": "ABSENT", "joinedAt": null, "leftAt": null, "minutes": 60, "settledAt": shown(180), "user": { "name": "Tim" } },
            ] },
        })
    );
    // Once more changes nothing, and it is too late to join.
    school.sweep().await;
    assert_eq!(school.hours(&school.sam, None).await, "1 0 2 1");
    assert_eq!(school.join(&school.tim, &id, false).await, "ENDED ABSENT");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joining_answers_with_the_hours_that_are_left_then() {
    let school = School::open().await;
    let id = school.session(at(120), Some(1)).await;
    let join = async |user: &User, wait: bool| {
        let input = json!({ "liveSessionId": id, "wait": wait });
        let selection = "eligibility { reason usage { heldHours remainingHours } }";
        school.app.mutate(user, "joinLiveSession", selection, input).await["eligibility"].take()
    };
    let answer = |reason: &str, held: &str, left: &str| json!({ "reason": reason, "usage": { "heldHours": held, "remainingHours": left } });
    assert_eq!(join(&school.sam, false).await, answer("ELIGIBLE", "1", "1"));
    assert_eq!(join(&school.sam, false).await, answer("ALREADY_JOINED", "1", "1"));
    assert_eq!(join(&school.tim, true).await, answer("FULL", "0", "2"), "waiting holds nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_host_enters_without_a_seat() {
    let school = School::open().await;
    let id = school.session(at(120), Some(1)).await;
    assert_eq!(school.join(&school.ada, &id, false).await, "ELIGIBLE -");
    assert_eq!(school.seen(None, &id, "seatsLeft startedAt").await, json!({ "seatsLeft": 1, "startedAt": null }));
    school.turn_to(at(105)).await;
    let input = json!({ "liveSessionId": id });
    let joined = school.app.mutate(&school.ada, "joinLiveSession", "liveSession { startedAt }", input).await;
    assert_eq!(joined["liveSession"], json!({ "startedAt": shown(105) }));
    assert_eq!(school.seen(None, &id, "startedAt").await, json!({ "startedAt": shown(105) }));
    assert_eq!(school.hours(&school.ada, None).await, "0 0 2 2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_moves_up_in_order_when_a_seat_is_given_back() {
    let school = School::open().await;
    let (uma, vic) = (school.app.user("Uma", Role::Student).await, school.app.user("Vic", Role::Student).await);
    let id = school.session(at(600), Some(1)).await;
    assert_eq!(school.join(&school.sam, &id, false).await, "ELIGIBLE HELD");
    assert_eq!(school.join(&school.tim, &id, false).await, "FULL -");
    for user in [&school.tim, &uma, &vic] {
        school.app.app.clock.advance(TimeDelta::seconds(1));
        assert_eq!(school.join(user, &id, true).await, "FULL WAITING");
    }
    assert_eq!(school.join(&school.tim, &id, true).await, "FULL WAITING");
    assert_eq!(school.seen(None, &id, "seatsLeft waitingCount").await, json!({ "seatsLeft": 0, "waitingCount": 3 }));
    assert_eq!(school.hours(&school.tim, None).await, "0 0 2 2", "waiting holds nothing");
    // Tim spends his hours otherwise, so that Uma is the next.
    let mut other = String::new();
    for minutes in [240, 360] {
        other = school.session(at(minutes), None).await;
        school.join(&school.tim, &other, false).await;
    }
    assert_eq!(school.leave(&school.sam, &id).await, "RELEASED");
    let place = async |user: &User| {
        school.seen(Some(user), &id, "viewerAttendance { status }").await["viewerAttendance"]["status"].take()
    };
    assert_eq!(
        [place(&school.sam).await, place(&school.tim).await, place(&uma).await, place(&vic).await],
        ["RELEASED", "WAITING", "HELD", "WAITING"],
        "Tim is passed over and keeps his place"
    );
    assert_eq!(
        (school.hours(&school.sam, None).await, school.hours(&uma, None).await),
        ("0 0 2 2".into(), "0 1 2 1".into())
    );
    // More seats.
    school.change(&school.ada, json!({ "liveSessionId": id, "version": 1, "capacity": 2 })).await;
    assert_eq!((place(&vic).await, school.leave(&vic, &id).await.as_str()), (json!("HELD"), "RELEASED"));
    // Who left may come back.
    assert_eq!(school.join(&school.sam, &id, false).await, "ELIGIBLE HELD");
    // With an hour, Tim gets the next seat that is free.
    school.leave(&school.tim, &other).await;
    assert_eq!((place(&school.tim).await, school.leave(&uma, &id).await.as_str()), (json!("WAITING"), "RELEASED"));
    assert_eq!(place(&school.tim).await, "HELD");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canceled_session_gives_the_hours_back() {
    let school = School::open().await;
    let id = school.session(at(120), Some(1)).await;
    school.join(&school.sam, &id, false).await;
    school.join(&school.tim, &id, true).await;
    school.cancel(&school.ada, &id).await;
    assert_eq!(school.hours(&school.sam, None).await, "0 0 2 2");
    assert_eq!(school.join(&school.sam, &id, false).await, "CANCELED RELEASED");
    assert_eq!(school.seen(None, &id, "status waitingCount").await, json!({ "status": "CANCELED", "waitingCount": 0 }));
    school.turn_to(at(300)).await;
    assert_eq!(school.hours(&school.sam, None).await, "0 0 2 2");
}

/// Brief 003, "Record Attendance": recorded or updated, one row for a user and a session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_host_records_who_was_there_as_often_as_they_like() {
    let school = School::open().await;
    let id = school.session(at(120), None).await;
    school.join(&school.sam, &id, false).await;
    school.join(&school.tim, &id, false).await;
    let both = [(&school.sam, false), (&school.tim, true)];
    assert_eq!(school.record(&school.ada, &id, &both).await, "NOT_ALLOWED", "it has not started");
    school.turn_to(at(125)).await;
    school.join(&school.sam, &id, false).await;
    // What the host says counts more than who entered.
    assert_eq!(school.record(&school.ada, &id, &both).await, "HELD HELD");
    assert_eq!(school.record(&school.ada, &id, &[(&school.root, true)]).await, "NOT_FOUND");
    assert_eq!(school.record(&school.ada, &id, &[(&school.sam, true), (&school.sam, true)]).await, "INVALID");
    assert_eq!(school.record(&school.ada, &id, &[]).await, "BLANK");
    school.turn_to(at(180)).await;
    assert_eq!(
        (school.hours(&school.sam, None).await, school.hours(&school.tim, None).await),
        ("0 0 2 2".into(), "1 0 2 1".into())
    );
    // Afterwards, the hours follow.
    for _ in 0..2 {
        assert_eq!(
            school.record(&school.root, &id, &[(&school.sam, true), (&school.tim, false)]).await,
            "ATTENDED ABSENT"
        );
        assert_eq!(
            (school.hours(&school.sam, None).await, school.hours(&school.tim, None).await),
            ("1 0 2 1".into(), "0 0 2 2".into())
        );
    }
    // But not beyond what is left, and then nothing is recorded at all.
    for minutes in [240, 360] {
        let other = school.session(at(minutes), None).await;
        school.join(&school.tim, &other, false).await;
    }
    let both = [(&school.sam, false), (&school.tim, true)];
    assert_eq!(school.record(&school.ada, &id, &both).await, "NOT_ALLOWED");
    assert_eq!(school.hours(&school.sam, None).await, "1 0 2 1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_moves_to_another_month_is_charged_there() {
    let school = School::open().await;
    // Users are told of what happens after they have signed up.
    school.turn_to(at(1)).await;
    let (id, later) = (school.session(at(120), None).await, at(120) + TimeDelta::days(14));
    school.join(&school.sam, &id, false).await;
    school.join(&school.tim, &id, false).await;
    // Tim has spent December.
    for hours in [3, 5] {
        let other = school.session(later + TimeDelta::hours(hours), None).await;
        school.join(&school.tim, &other, false).await;
    }
    school.turn_to(at(2)).await;
    let input = json!({ "liveSessionId": id, "version": 1, "startsAt": later, "endsAt": later + TimeDelta::hours(1) });
    school.change(&school.ada, input).await;
    assert_eq!(school.hours(&school.sam, Some("2026-11")).await, "0 0 2 2");
    assert_eq!(school.hours(&school.sam, Some("2026-12")).await, "0 1 2 1");
    assert_eq!(school.hours(&school.tim, Some("2026-11")).await, "0 0 2 2");
    assert_eq!(school.hours(&school.tim, Some("2026-12")).await, "0 2 2 0");
    assert_eq!(school.place(&school.tim, &id).await, "RELEASED");
    let kept = "SELECT count(*) FROM live_attendances JOIN users ON users.id = user_id \
        WHERE name = 'Sam' AND live_attendances.status = 'HELD' AND since = '2026-11-20T09:01:00Z'";
    assert_eq!(school.app.sql(kept).await, "1", "since when he had it");
    let sessions = async |user: &User| {
        let told = school.told(user).await.into_iter();
        told.filter(|told| told.starts_with("LIVE_SESSION_CHANGED")).collect::<Vec<_>>()
    };
    assert_eq!(sessions(&school.sam).await, ["LIVE_SESSION_CHANGED “Valves” is at another time"]);
    assert_eq!(sessions(&school.tim).await, ["LIVE_SESSION_CHANGED You no longer have a seat in “Valves”"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_waiting_list_stays_as_it_is_when_only_the_title_changes() {
    let school = School::with(&[("LYCEUM_LIVE_FREE_HOURS", "1")]).await;
    let (id, other) = (school.session(at(120), Some(1)).await, school.session(at(240), None).await);
    school.join(&school.sam, &id, false).await;
    assert_eq!(school.join(&school.tim, &id, true).await, "FULL WAITING");
    // Tim has no hour left for now.
    school.join(&school.tim, &other, false).await;
    school.change(&school.ada, json!({ "liveSessionId": id, "version": 1, "title": "Pistons" })).await;
    assert_eq!(school.place(&school.tim, &id).await, "WAITING");
    school.change(&school.ada, json!({ "liveSessionId": id, "version": 2, "capacity": 2 })).await;
    assert_eq!(school.place(&school.tim, &id).await, "WAITING", "who lacks hours keeps the place");
    school.leave(&school.tim, &other).await;
    school.change(&school.ada, json!({ "liveSessionId": id, "version": 3, "capacity": 3 })).await;
    assert_eq!(school.place(&school.tim, &id).await, "HELD");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_seats_of_a_deleted_user_are_given_back() {
    let school = School::open().await;
    let (id, past) = (school.session(at(240), Some(1)).await, school.session(at(60), None).await);
    school.join(&school.sam, &past, false).await;
    school.turn_to(at(60)).await;
    school.join(&school.sam, &past, false).await;
    school.turn_to(at(120)).await;
    school.join(&school.sam, &id, false).await;
    school.join(&school.tim, &id, true).await;
    school.forget(&school.sam).await;
    let states = "SELECT string_agg(status, ' ' ORDER BY status) FROM live_attendances";
    assert_eq!(school.app.sql(states).await, "ATTENDED HELD RELEASED");
    assert_eq!(school.hours(&school.tim, None).await, "0 1 2 1");
    // What they attended stays, without their name.
    let name = "Deleted user";
    for (id, places) in [(&past, json!([["ATTENDED", name]])), (&id, json!([["HELD", "Tim"], ["RELEASED", name]]))] {
        let seen = school.seen(Some(&school.ada), id, "attendances { nodes { status user { name } } }").await;
        let nodes = seen["attendances"]["nodes"].as_array().unwrap().iter();
        let mut found: Vec<Value> = nodes.map(|node| json!([node["status"], node["user"]["name"]])).collect();
        found.sort_by_key(Value::to_string);
        assert_eq!(json!(found), places);
    }
    assert_eq!(school.app.sql("SELECT count(*) FROM users WHERE name = 'Sam'").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_had_entered_a_session_enters_it_again_at_its_new_time() {
    let school = School::with(&[("LYCEUM_LIVE_MINUTES", "60,90")]).await;
    let id = school.session(at(120), None).await;
    for user in [&school.sam, &school.tim] {
        school.join(user, &id, false).await;
    }
    school.turn_to(at(110)).await;
    for user in [&school.sam, &school.tim] {
        assert_eq!(school.join(user, &id, false).await, "ALREADY_JOINED HELD");
    }
    let seen = async || {
        let selection = "startedAt viewerAttendance { status joinedAt minutes }";
        school.seen(Some(&school.tim), &id, selection).await
    };
    let place = |joined_at: Option<String>| json!({ "status": "HELD", "joinedAt": joined_at, "minutes": 90 });
    // They are still there when it only takes longer.
    school.change(&school.ada, json!({ "liveSessionId": id, "version": 1, "endsAt": at(210) })).await;
    let entered = Some(shown(110));
    assert_eq!(seen().await, json!({ "startedAt": entered, "viewerAttendance": place(entered) }));
    let input = json!({ "liveSessionId": id, "version": 2, "startsAt": at(720), "endsAt": at(810) });
    school.change(&school.ada, input).await;
    assert_eq!(seen().await, json!({ "startedAt": null, "viewerAttendance": place(None) }));
    // Only Sam comes then.
    school.turn_to(at(725)).await;
    school.join(&school.sam, &id, false).await;
    school.turn_to(at(810)).await;
    assert_eq!(school.hours(&school.sam, None).await, "1.5 0 2 0.5");
    assert_eq!(school.hours(&school.tim, None).await, "0 0 2 2");
    assert_eq!(seen().await["startedAt"], shown(725));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ends_when_the_last_of_those_who_have_attended_it_leaves() {
    let school = School::open().await;
    let id = school.session(at(120), None).await;
    let uma = school.app.user("Uma", Role::Student).await;
    school.turn_to(at(110)).await;
    for user in [&school.sam, &school.tim, &uma] {
        assert_eq!(school.join(user, &id, false).await, "ELIGIBLE HELD");
    }
    // Sam gives the seat back before the start; Uma was not there, as the host says.
    school.turn_to(at(115)).await;
    assert_eq!(school.leave(&school.sam, &id).await, "RELEASED");
    school.turn_to(at(160)).await;
    assert_eq!(school.leave(&school.tim, &id).await, "HELD");
    assert_eq!(school.record(&school.ada, &id, &[(&uma, false)]).await, "HELD");
    school.turn_to(at(180)).await;
    assert_eq!(school.seen(None, &id, "endedAt").await, json!({ "endedAt": shown(160) }));
}

/// Brief 003, "Planned Features" 2, off by default.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partial_attendance_costs_the_minutes_that_have_begun_of_the_session() {
    let school = School::with(&[("LYCEUM_LIVE_PARTIAL_ATTENDANCE", "on")]).await;
    let id = school.session(at(120), None).await;
    let (uma, vic) = (school.app.user("Uma", Role::Student).await, school.app.user("Vic", Role::Student).await);
    for user in [&school.sam, &school.tim, &uma, &vic] {
        school.join(user, &id, false).await;
    }
    // Sam waits before the start, leaves, comes back and leaves.
    let turn = async |seconds: i64| school.turn_to(at(0) + TimeDelta::seconds(seconds)).await;
    turn(110 * 60).await;
    school.join(&school.sam, &id, false).await;
    turn(125 * 60).await;
    school.leave(&school.sam, &id).await;
    turn(130 * 60).await;
    school.join(&school.sam, &id, false).await;
    assert_eq!(school.hours(&school.sam, None).await, "0 1 2 1", "all of it is held");
    turn(140 * 60 + 1).await;
    school.leave(&school.sam, &id).await;
    // Tim comes late and stays, Uma is recorded only, and Vic is not, though he was there for a moment.
    turn(165 * 60).await;
    school.join(&school.tim, &id, false).await;
    school.join(&vic, &id, false).await;
    school.leave(&vic, &id).await;
    assert_eq!(school.record(&school.ada, &id, &[(&uma, true), (&vic, false)]).await, "HELD HELD");
    turn(180 * 60).await;
    let minutes = "SELECT string_agg(concat_ws(' ', name, live_attendances.status, minutes, held_minutes, \
        attended_minutes), ', ' ORDER BY name) FROM live_attendances JOIN users ON users.id = user_id \
        JOIN live_usage USING (user_id, month)";
    let found = school.app.sql(minutes).await;
    assert_eq!(found, "Sam ATTENDED 21 0 21, Tim ATTENDED 15 0 15, Uma ATTENDED 60 0 60, Vic ABSENT 1 0 0");
    assert_eq!(school.hours(&school.tim, None).await, "0.25 0 2 1.75");
    // A correction takes and gives back the same minutes.
    for _ in 0..2 {
        let both = [(&school.tim, false), (&vic, true)];
        assert_eq!(school.record(&school.ada, &id, &both).await, "ABSENT ATTENDED");
    }
    assert_eq!(school.hours(&school.tim, None).await, "0 0 2 2");
    assert_eq!(school.hours(&vic, None).await, "0.02 0 2 1.98");
    assert_eq!(school.record(&school.ada, &id, &[(&school.tim, true)]).await, "ATTENDED");
    assert_eq!(school.hours(&school.tim, None).await, "0.25 0 2 1.75");
}
