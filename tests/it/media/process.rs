//! What is made of a video that has arrived.

use std::os::unix::fs::PermissionsExt;

use chrono::TimeDelta;
use lyceum::platform::jobs::worker::Worker;
use serde_json::{Value, json};

use super::{Studio, ffmpeg, ffprobe, mp4, search_path};
use crate::support::cluster;
use crate::support::socket::Socket;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_video_becomes_ready_with_its_length_a_picture_and_renditions() {
    let studio = Studio::open("ready").await;
    let content = mp4();
    let size = content.len();
    let id = studio.arrive(&studio.ada, content).await;
    assert_eq!(studio.video(id).await["status"], "UPLOADED");
    studio.app.settle().await;
    let video = studio.video(id).await;
    let poster = video["posterUrl"].as_str().unwrap_or_else(|| panic!("{video:#}")).to_owned();
    let expected = json!({
        "id": id.encode(), "filename": "ownership.mp4", "contentType": "video/mp4", "sizeBytes": size,
        "status": "READY", "progressPercent": 100, "failure": null, "durationSeconds": 14, "width": 640, "height": 360,
        "posterUrl": poster, "captions": [], "deletionDueAt": video["deletionDueAt"],
    });
    assert_eq!(video, expected);
    let picture = studio.app.client.get(&poster).send().await.unwrap();
    assert_eq!(picture.headers()["content-type"], "image/jpeg");
    let file = cluster::folder().join("poster.jpg");
    std::fs::write(&file, picture.bytes().await.unwrap()).unwrap();
    let told = ffprobe(&["-show_entries", "stream=codec_name,width,height", file.to_str().unwrap()]);
    assert_eq!(told.trim(), "mjpeg,640,360");
    // The original, the picture, two playlists, and a head and three segments of one rendition.
    assert_eq!(studio.objects(id).await, 1 + 1 + 2 + 4);
    assert_eq!(studio.app.sql("SELECT count(*) FROM jobs").await, "0");
    let work = studio.app.app.config.data.join("work");
    assert_eq!(std::fs::read_dir(work).unwrap().count(), 0, "nothing is left on the disk");

    // The same again, as after a crash at the end, changes nothing.
    studio.app.sql("UPDATE videos SET status = 'PROCESSING', poster_key = NULL, playlist_key = NULL").await;
    studio
        .app
        .sql(&format!(
            "UPDATE events SET position = NULL WHERE kind = 'video_uploaded' AND payload->>'video_id' = '{}'",
            id.uuid()
        ))
        .await;
    rerun(&studio, id.uuid()).await;
    let mut again = studio.video(id).await;
    again["posterUrl"] = json!(poster);
    assert_eq!(again, expected);
    assert_eq!(studio.objects(id).await, 8);
}

/// Runs the job once more.
async fn rerun(studio: &Studio, id: uuid::Uuid) {
    let app = &studio.app.app;
    let again = app.db.transaction(async |tx| {
        let payload = json!({ "video_id": id });
        lyceum::platform::jobs::enqueue(tx, &app.clock, "media.process", &payload, "again").await
    });
    again.await.unwrap();
    studio.app.settle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_video_fails_with_a_reason() {
    let studio = Studio::open("hostile").await;
    let playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n".to_vec();
    let concat = b"ffconcat version 1.0\nfile /etc/passwd\n".to_vec();
    let mut cut = mp4();
    cut.truncate(2000);
    let mut torn = mp4();
    let middle = torn.len() / 2;
    torn[200..middle].fill(0x5a);
    let sound = cluster::folder().join("sound.mp4");
    ffmpeg(&["-f", "lavfi", "-i", "sine=duration=1", sound.to_str().unwrap()]);
    let cases = [
        ("a page", b"<!doctype html><script>alert(1)</script>".to_vec()),
        ("nothing but zeros", vec![0; 100_000]),
        ("a playlist", playlist),
        ("a list of files", concat),
        ("the beginning of a video", cut),
        ("sound", std::fs::read(&sound).unwrap()),
        ("a video with a torn head", torn),
    ];
    for (what, content) in cases {
        let id = studio.arrive(&studio.ada, content).await;
        studio.app.settle().await;
        let video = studio.video(id).await;
        assert_eq!(video["status"], "FAILED", "{what}: {video:#}");
        let why = video["failure"].as_str().unwrap();
        assert!(why.ends_with('.') && !why.contains('/'), "{what}: {why}");
        assert_eq!(studio.app.sql("SELECT count(*) FROM jobs").await, "0", "{what}: it is not tried again");
        let input = json!({ "lessonId": studio.app.lesson(&studio.ada, &studio.app.course(&studio.ada, what, 0).await, what).await, "version": 1, "videoId": id.encode() });
        let set =
            "mutation ($input: SetLessonVideoInput!) { setLessonVideo(input: $input) { userErrors { code field } } }";
        let refused = studio.app.data(Some(&studio.ada.token), set, json!({ "input": input })).await;
        let expected = json!([{ "code": "NOT_ALLOWED", "field": ["videoId"] }]);
        assert_eq!(refused["setLessonVideo"]["userErrors"], expected, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_ffmpeg_the_original_plays() {
    let studio = Studio::with("without", None, &[]).await;
    assert!(studio.app.app.ffmpeg.is_none());
    let id = studio.arrive(&studio.ada, mp4()).await;
    studio.app.settle().await;
    let video = studio.video(id).await;
    assert_eq!((&video["status"], &video["durationSeconds"]), (&json!("READY"), &Value::Null), "{video:#}");
    let lesson = studio.lesson(id, "Ownership").await;
    let answer = studio.play(Some(&studio.ada.token), &lesson).await;
    let playback = super::playback(&answer);
    assert_eq!(playback["hlsUrl"], Value::Null);
    let original = studio.app.client.get(playback["url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(original.bytes().await.unwrap(), mp4());
    let query = "query ($id: ID!) { node(id: $id) { ... on Lesson { durationSeconds } } }";
    let data = studio.app.data(None, query, json!({ "id": lesson })).await;
    assert_eq!(data["node"]["durationSeconds"], 300, "the lesson keeps what its author said");
}

/// A folder with a real ffprobe and an ffmpeg that does as `script` says.
fn strange_ffmpeg(name: &str, script: &str) -> String {
    let folder = cluster::folder().join(format!("ffmpeg-{name}"));
    std::fs::create_dir_all(&folder).unwrap();
    let real = |program: &str| {
        let folders: Vec<_> = std::env::split_paths(&search_path().unwrap()).collect();
        folders.into_iter().map(|folder| folder.join(program)).find(|file| file.exists()).unwrap()
    };
    std::os::unix::fs::symlink(real("ffprobe"), folder.join("ffprobe")).unwrap();
    let script = format!("#!/bin/sh\n[ \"$1\" = -version ] && exec {0} -version\n{script}\n", real("ffmpeg").display());
    let script = script.replace("$FFMPEG", &real("ffmpeg").display().to_string());
    std::fs::write(folder.join("ffmpeg"), script).unwrap();
    std::fs::set_permissions(folder.join("ffmpeg"), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder.display().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_nobodys_fault_and_tried_again() {
    let marker = cluster::folder().join("room");
    let script = format!(
        "[ -e {} ] || {{ echo 'av_interleaved_write_frame(): No space left on device' >&2; exit 1; }}\n/bin/sleep 0\nexec $FFMPEG \"$@\"",
        marker.display()
    );
    let folder = strange_ffmpeg("full", &script);
    let studio = Studio::with("full", None, &[("LYCEUM_FFMPEG", &folder)]).await;
    let id = studio.arrive(&studio.ada, mp4()).await;
    studio.app.settle().await;
    let video = studio.video(id).await;
    assert_eq!((&video["status"], &video["failure"]), (&json!("PROCESSING"), &Value::Null), "{video:#}");
    assert_eq!(studio.app.sql("SELECT attempts FROM jobs WHERE last_error LIKE '%No space left%'").await, "1");
    std::fs::write(marker, "").unwrap();
    studio.app.app.clock.advance(TimeDelta::seconds(10));
    studio.app.settle().await;
    assert_eq!(studio.video(id).await["status"], "READY");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_converted_here_plays_as_it_came_until_somebody_has_it_tried_again() {
    let marker = cluster::folder().join("mended");
    let script = format!(
        "[ -e {} ] || {{ echo 'No space left on device' >&2; exit 1; }}\nexec $FFMPEG \"$@\"",
        marker.display()
    );
    let folder = strange_ffmpeg("dead", &script);
    let mut studio = Studio::with("dead", None, &[("LYCEUM_FFMPEG", &folder)]).await;
    let id = studio.arrive(&studio.ada, mp4()).await;
    for _ in 0..lyceum::platform::jobs::MAX_ATTEMPTS {
        studio.app.settle().await;
        studio.app.app.clock.advance(TimeDelta::hours(6));
    }
    studio.app.settle().await;
    studio.later(TimeDelta::zero()).await;
    let video = studio.video(id).await;
    let expected = (json!("READY"), json!("It could not be converted here; the original plays."));
    assert_eq!((&video["status"], &video["failure"]), (&expected.0, &expected.1), "{video:#}");
    let lesson = studio.lesson(id, "Ownership").await;
    let answer = studio.play(Some(&studio.ada.token), &lesson).await;
    assert_eq!(super::playback(&answer)["hlsUrl"], Value::Null);

    std::fs::write(marker, "").unwrap();
    let dead = lyceum::platform::jobs::dead(&mut studio.app.app.db.read().await.unwrap(), 9).await.unwrap();
    assert_eq!(dead.iter().map(|job| job.handler.as_str()).collect::<Vec<_>>(), ["media.process"]);
    assert!(lyceum::platform::jobs::replay(&studio.app.app, dead[0].id).await.unwrap());
    studio.app.settle().await;
    let video = studio.video(id).await;
    assert_eq!((&video["status"], &video["failure"]), (&json!("READY"), &Value::Null), "{video:#}");
    let answer = studio.play(Some(&studio.ada.token), &lesson).await;
    assert!(super::playback(&answer)["hlsUrl"].is_string(), "{answer:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_follows_the_processing_hears_of_its_end_and_nobody_else_does() {
    const FOLLOW: &str = "subscription ($id: ID!, $after: String) { videoProgress(videoId: $id, after: $after) {
        cursor isStart status progressPercent video { durationSeconds } } }";
    let gate = cluster::folder().join("followed-gate");
    let script = format!("while [ ! -e {} ]; do /bin/sleep 0.05; done\nexec $FFMPEG \"$@\"", gate.display());
    let folder = strange_ffmpeg("followed", &script);
    let studio = Studio::with("followed", None, &[("LYCEUM_FFMPEG", &folder)]).await;
    let id = studio.arrive(&studio.ada, mp4()).await;
    let follow = async |token: &str, after: Value| {
        let mut socket = Socket::connect(&studio.app.url, Some(token)).await;
        socket.subscribe("up", FOLLOW, json!({ "id": id.encode(), "after": after })).await;
        socket
    };
    let eve = studio.app.user("Eve", lyceum::platform::auth::Role::Instructor).await;
    let refused = follow(&eve.token, Value::Null).await.receive().await.unwrap();
    assert!(refused["payload"].to_string().contains("There is no such video,"), "{refused:#}");

    let mut socket = follow(&studio.ada.token, Value::Null).await;
    let start = socket.receive().await.unwrap()["payload"]["data"]["videoProgress"].take();
    assert_eq!((&start["isStart"], &start["status"]), (&json!(true), &json!("UPLOADED")), "{start:#}");
    let hears_first = async {
        let registry = lyceum::app::registry().unwrap();
        let first = loop {
            lyceum::platform::outbox::dispatcher::tick(&studio.app.app, &registry).await.unwrap();
            if let Ok(first) = tokio::time::timeout(std::time::Duration::from_millis(50), socket.receive()).await {
                break first.unwrap();
            }
        };
        std::fs::write(gate, "").unwrap();
        first["payload"]["data"]["videoProgress"].clone()
    };
    let (first, ()) = tokio::join!(hears_first, studio.app.settle());
    studio.app.settle().await;
    let mut heard = vec![first];
    loop {
        let message = socket.receive().await.unwrap();
        if message["type"] == "complete" {
            break;
        }
        heard.push(message["payload"]["data"]["videoProgress"].clone());
    }
    let percents: Vec<i64> = heard.iter().map(|news| news["progressPercent"].as_i64().unwrap()).collect();
    assert!(percents.is_sorted() && percents.first() == Some(&0) && percents.last() == Some(&100), "{percents:?}");
    let last = heard.last().unwrap();
    assert_eq!((&last["status"], &last["video"]["durationSeconds"]), (&json!("READY"), &json!(14)), "{last:#}");
    let mut late = follow(&studio.ada.token, heard[0]["cursor"].clone()).await;
    let start = late.receive().await.unwrap()["payload"]["data"]["videoProgress"].take();
    assert_eq!((&start["isStart"], &start["status"]), (&json!(true), &json!("READY")), "{start:#}");
    assert_eq!(late.receive().await.unwrap()["type"], "complete", "there is nothing to wait for");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn progress_is_seen_one_video_is_converted_at_a_time_and_a_stop_gives_the_work_back() {
    let gate = cluster::folder().join("gate");
    // Says that it is half done, then waits for the gate.
    let script = format!(
        "case \"$*\" in *-progress*) echo out_time_us=7000000; while [ ! -e {} ]; do /bin/sleep 0.05; done;; esac\nexec $FFMPEG \"$@\"",
        gate.display()
    );
    let folder = strange_ffmpeg("gate", &script);
    let studio = Studio::with("gate", None, &[("LYCEUM_FFMPEG", &folder)]).await;
    let (one, two) = (studio.arrive(&studio.ada, mp4()).await, studio.arrive(&studio.ada, mp4()).await);
    let app = &studio.app.app;
    let registry = lyceum::app::registry().unwrap();
    lyceum::platform::outbox::dispatcher::tick(app, &registry).await.unwrap();
    let working = tokio::spawn(Worker::new(app.clone(), registry.clone()).run());
    crate::support::eventually("one is half done", async || {
        let seen = [studio.video(one).await, studio.video(two).await];
        let percents: Vec<i64> = seen.iter().map(|video| video["progressPercent"].as_i64().unwrap()).collect();
        percents.iter().sum::<i64>() == 45
    })
    .await;
    // The other one waits for its turn, and that is no failure.
    let waiting = "SELECT count(*) FROM jobs WHERE handler = 'media.process' AND attempts = 0 AND leased_by IS NULL AND last_error IS NULL";
    assert_eq!(studio.app.sql(waiting).await, "1");
    app.stopping.cancel();
    tokio::time::timeout(crate::support::socket::PATIENCE, working).await.expect("it stops at once").unwrap();
    let given_back = "SELECT count(*) FROM jobs WHERE handler = 'media.process' AND attempts = 0 AND leased_by IS NULL";
    assert_eq!(studio.app.sql(given_back).await, "2");
    assert_eq!(std::fs::read_dir(app.config.data.join("work")).unwrap().count(), 0);
    let alive = || {
        let all = std::process::Command::new("ps").args(["-eo", "args"]).output().unwrap();
        String::from_utf8_lossy(&all.stdout).lines().any(|line| line.contains("ffmpeg-gate/ffmpeg"))
    };
    crate::support::eventually("no ffmpeg is left", async || !alive()).await;

    std::fs::write(gate, "").unwrap();
    let peer = studio.app.peer().await;
    for _ in 0..3 {
        peer.app.clock.advance(TimeDelta::seconds(10));
        peer.settle().await;
    }
    let states = "SELECT string_agg(status || progress_percent, ' ') FROM videos";
    assert_eq!(peer.sql(states).await, "READY100 READY100");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_video_that_is_deleted_meanwhile_leaves_nothing() {
    let gate = cluster::folder().join("deleted-gate");
    let script = format!(
        "case \"$*\" in *-progress*) while [ ! -e {} ]; do /bin/sleep 0.05; done;; esac\nexec $FFMPEG \"$@\"",
        gate.display()
    );
    let folder = strange_ffmpeg("deleted", &script);
    let studio = Studio::with("deleted", None, &[("LYCEUM_FFMPEG", &folder)]).await;
    let id = studio.arrive(&studio.ada, mp4()).await;
    let deleting = async {
        crate::support::eventually("it is being converted", async || studio.objects(id).await == 2).await;
        studio.app.sql("DELETE FROM videos").await;
        std::fs::write(&gate, "").unwrap();
    };
    tokio::join!(studio.app.settle(), deleting);
    assert_eq!(studio.objects(id).await, 0);
    assert_eq!(studio.app.sql("SELECT count(*) FROM jobs").await, "0");
}
