//! From a file to a picture that moves in a real browser.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;

use lyceum::platform::auth::Role;
use serde_json::{Value, json};
use tokio::io::AsyncBufReadExt;
use tokio::process::Command;

use super::{HOOK_SECRET, Studio, ffmpeg, ffprobe, original, playback, search_path};
use crate::support::process::text;
use crate::support::socket::Follower;
use crate::support::{cluster, moto};

/// Starting a browser on a busy machine takes its time.
const BROWSER_PATIENCE: Duration = Duration::from_secs(180);

/// Long and rich enough that a browser does not fetch it at once. Eight pictures a second: each is converted twice.
fn film() -> Vec<u8> {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    std::fs::read(MADE.get_or_init(make_film)).unwrap()
}

fn make_film() -> PathBuf {
    let file = cluster::folder().join("film.mp4");
    let (pictures, sound) =
        ("testsrc2=size=1280x720:rate=8:duration=40,noise=alls=20:allf=t", "sine=frequency=440:duration=40");
    let inputs = ["-f", "lavfi", "-i", pictures, "-f", "lavfi", "-i", sound];
    let codecs =
        ["-c:v", "libx264", "-preset", "ultrafast", "-b:v", "6M", "-g", "8", "-pix_fmt", "yuv420p", "-c:a", "aac"];
    let name = file.display().to_string();
    ffmpeg(&[&inputs[..], &codecs, &["-movflags", "+faststart", &name]].concat());
    file
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_real_video_goes_from_an_instructors_disk_to_a_browser() {
    let settings = [("LYCEUM_STORAGE_HOOK_SECRET", HOOK_SECRET), ("LYCEUM_SERVE_ORIGINALS", "always")];
    journey(Studio::with("journey", search_path(), &settings).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_does_so_with_another_store() {
    let settings = [("LYCEUM_STORAGE_HOOK_SECRET", HOOK_SECRET), ("LYCEUM_SERVE_ORIGINALS", "always")];
    journey(Studio::on(moto::bucket().await, None, search_path(), &settings).await).await;
}

async fn journey(studio: Studio) {
    let app = &studio.app;
    let sam = app.user("Sam", Role::Student).await;
    let course = app.course(&studio.ada, "Ownership", 1).await;
    app.settle().await;
    let id = studio.upload_in_parts(&film()).await;
    studio.hear_from_the_store(id).await;
    let lesson = app.lesson(&studio.ada, &course, "Moves and borrows").await;
    studio.show(&lesson, Some(id)).await;
    studio.preview(&lesson, true).await;
    app.settle().await;
    let video = studio.video(id).await;
    assert_eq!((&video["status"], &video["durationSeconds"]), (&json!("READY"), &json!(40)), "{video:#}");
    assert_eq!(
        app.sql("SELECT count(*) FROM videos WHERE filename = 'film.mp4' AND size_bytes > 1").await,
        "1",
        "it was told twice that it is complete"
    );
    let mut follower = Follower::after_hearing(&app.url, Some(&course.id), &[]).await;
    app.publish(&studio.ada, &lesson).await;
    app.settle().await;
    follower.expect(&["Moves and borrows"]).await;

    let answer = studio.play(Some(&sam.token), &lesson).await;
    let playback = playback(&answer);
    let url = playback["url"].as_str().unwrap();
    let seen = in_a_browser(url).await;
    assert_eq!((&seen["width"], &seen["height"]), (&json!(1280), &json!(720)), "{seen:#}");
    assert!((39.0..41.0).contains(&seen["duration"].as_f64().unwrap()), "{seen:#}");
    assert!(seen["played"].as_f64().unwrap() > 0.0, "{seen:#}");
    assert!((30.0..34.0).contains(&seen["afterSeek"].as_f64().unwrap()), "{seen:#}");
    let ranges = seen["ranges"].as_array().unwrap();
    assert!(ranges.iter().all(|range| range["status"] == 206), "{seen:#}");
    let from = |range: &Value| -> u64 {
        let range = range["range"].as_str().unwrap();
        range.trim_start_matches("bytes=").split('-').next().unwrap().parse().unwrap()
    };
    assert!(ranges.iter().any(|range| from(range) > 10_000_000), "it jumps into the middle of the file: {seen:#}");

    let stranger = url.replace(&id.uuid().simple().to_string(), &uuid::Uuid::nil().simple().to_string());
    let expired = studio.storage.presign_get(&original(id), Duration::from_secs(1)).await.unwrap();
    let status = async |url: &str| app.client.get(url).send().await.unwrap().status().as_u16();
    if studio.store.is_some() {
        assert_eq!(status(&stranger).await, 403);
        crate::support::eventually("the address has ended", async || status(&expired).await == 403).await;
        for refused in [&stranger, &expired] {
            assert_eq!(in_a_browser(refused).await["error"], json!(4), "MEDIA_ERR_SRC_NOT_SUPPORTED");
        }
    }
    hls(&studio, playback["hlsUrl"].as_str().unwrap()).await;
}

/// What a player that knows HLS sees: two sizes, both as long as the film.
async fn hls(studio: &Studio, url: &str) {
    let app = &studio.app;
    let master = url.replace(&app.app.config.public_url, &app.url);
    let listed = app.client.get(&master).send().await.unwrap().text().await.unwrap();
    let sizes: Vec<&str> =
        listed.lines().filter_map(|line| line.split("RESOLUTION=").nth(1)?.split(',').next()).collect();
    assert_eq!(sizes, ["640x360", "1280x720"], "{listed}");
    for (folder, size) in [("v0", "640,360"), ("v1", "1280,720")] {
        let playlist = master.replace("master.m3u8", &format!("{folder}/index.m3u8"));
        let probed = tokio::task::spawn_blocking(move || {
            let shown = "format=duration:stream=codec_name,width,height";
            ffprobe(&["-allowed_extensions", "ALL", "-show_entries", shown, &playlist])
        });
        let told = probed.await.unwrap();
        assert!(told.contains(&format!("h264,{size}")) && told.contains("aac"), "{told}");
        let seconds: f64 = told.lines().last().unwrap().parse().unwrap();
        assert!((39.0..41.0).contains(&seconds), "{told}");
    }
}

/// Plays an address in Chromium, jumps, and tells what happened.
async fn in_a_browser(url: &str) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/player.mjs");
    let mut command = Command::new("node");
    command.arg(script).arg(url).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(BROWSER_PATIENCE, command.output()).await.expect("the browser takes too long");
    let output = output.expect("there is no node: `make deps-test` installs what tests need");
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A film of two and a half minutes, which has two keys.
fn long_film() -> Vec<u8> {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    let file = MADE.get_or_init(|| {
        let file = cluster::folder().join("long-film.mp4");
        let inputs = ["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=5:duration=150"];
        let codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "5", "-pix_fmt", "yuv420p"];
        let name = file.display().to_string();
        ffmpeg(&[&inputs[..], &codecs, &["-movflags", "+faststart", &name]].concat());
        file
    });
    std::fs::read(file).unwrap()
}

/// A viewer who is banned in the middle of a video gets no further key: the player stops at the end of the two minutes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_is_banned_while_watching_sees_two_more_minutes_at_most() {
    let studio = Studio::with("banned", search_path(), &[]).await;
    let app = &studio.app;
    let root = app.user("Root", Role::Admin).await;
    let id = studio.arrive(&studio.ada, long_film()).await;
    app.settle().await;
    assert_eq!(studio.video(id).await["status"], "READY");
    let lesson = studio.lesson(id, "Moves and borrows").await;
    studio.preview(&lesson, true).await;
    for banned in [false, true] {
        let name = if banned { "Sam" } else { "Eve" };
        let viewer = app.user(name, Role::Student).await;
        let answer = studio.play(Some(&viewer.token), &lesson).await;
        assert_eq!(playback(&answer)["url"], Value::Null, "the original could be kept");
        let url = playback(&answer)["hlsUrl"].as_str().unwrap().replace(&app.app.config.public_url, &app.url);
        let mut player = Player::start(&url);
        let playing = player.next().await;
        assert!(playing["playing"] == true && playing["at"].as_f64().unwrap() < 115.0, "{playing}");
        if banned {
            let ban = json!({ "userId": viewer.id, "reason": "Shared the account." });
            app.mutate(&root, "banUser", "user { id }", ban).await;
        }
        let stopped = player.next().await;
        let at = stopped["at"].as_f64().unwrap();
        match banned {
            false => assert!(stopped["error"].is_null() && at > 149.0, "{stopped}"),
            true => assert!(stopped["error"] == "keyLoadError" && (110.0..=121.0).contains(&at), "{stopped}"),
        }
    }
}

/// A player in a browser.
struct Player {
    lines: tokio::io::Lines<tokio::io::BufReader<tokio::process::ChildStdout>>,
    _process: tokio::process::Child,
}

impl Player {
    fn start(url: &str) -> Player {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/hls.mjs");
        let mut command = Command::new("node");
        command.arg(script).arg(url).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().expect("there is no node: `make deps-test` installs what tests need");
        let lines = tokio::io::BufReader::new(process.stdout.take().unwrap()).lines();
        Player { lines, _process: process }
    }

    /// What it tells next.
    async fn next(&mut self) -> Value {
        let line = tokio::time::timeout(BROWSER_PATIENCE, self.lines.next_line()).await;
        serde_json::from_str(&line.expect("the browser takes too long").unwrap().expect("it told nothing")).unwrap()
    }
}
