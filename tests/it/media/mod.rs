//! Videos: what is made of them, who plays them, and how they end.

mod captions;
mod deletion;
mod journey;
mod leaks;
mod playback;
mod process;
mod showing;
mod upload;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use lyceum::accounts::{self, UserById, UserId};
use lyceum::graphql::loaders::Load;
use lyceum::media::{VideoId, VideoUploaded};
use lyceum::platform::auth::{Client, Role};
use lyceum::platform::outbox;
use lyceum::platform::storage::Storage;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::storage::Store;
use crate::support::{TestApp, User, cluster};

const HOOK_SECRET: &str = "kJ8s2mQx7vB4nT1zR6wY3pL9";

/// An application with a real object store, and Ada, who teaches.
pub(crate) struct Studio {
    pub(crate) app: TestApp,
    pub(crate) storage: Storage,
    pub(crate) ada: User,
    /// `None`: moto's, which checks no signatures.
    store: Option<Store>,
}

impl Studio {
    /// With ffmpeg.
    async fn open(name: &str) -> Studio {
        Studio::with(name, search_path(), &[]).await
    }

    async fn with(name: &str, path: Option<OsString>, settings: &[(&str, &str)]) -> Studio {
        let store = Store::start(&format!("video-{name}")).await;
        let storage = store.bucket().await;
        Studio::on(storage, Some(store), path, settings).await
    }

    async fn on(storage: Storage, store: Option<Store>, path: Option<OsString>, settings: &[(&str, &str)]) -> Studio {
        let app = TestApp::with_video(storage.clone(), path, settings).await;
        let ada = app.user("Ada", Role::Instructor).await;
        Studio { app, storage, ada, store }
    }

    /// Uploads a file in parts, as a program does that knows nothing but the API and HTTP; the video.
    async fn upload_in_parts(&self, file: &[u8]) -> VideoId {
        let create =
            json!({ "filename": "film.mp4", "contentType": "video/mp4", "sizeBytes": file.len(), "multipart": true });
        let created = self.app.mutate(&self.ada, "createUpload", "upload { id partSizeBytes }", create).await;
        let upload = json!({ "uploadId": created["upload"]["id"] });
        let part_size = usize::try_from(created["upload"]["partSizeBytes"].as_u64().unwrap()).unwrap();
        let urls = self.app.mutate(&self.ada, "uploadPartUrls", "partUrls { number url }", upload.clone()).await;
        let urls = urls["partUrls"].as_array().unwrap();
        assert!(urls.len() > 1, "{urls:#?}");
        for (part, bytes) in urls.iter().zip(file.chunks(part_size)) {
            let put = self.app.client.put(part["url"].as_str().unwrap()).body(bytes.to_vec());
            assert_eq!(put.send().await.unwrap().status(), 200, "part {}", part["number"]);
        }
        let done = self.app.mutate(&self.ada, "completeUpload", "upload { status videoId }", upload).await;
        assert_eq!(done["upload"]["status"], "COMPLETED", "{done:#}");
        done["upload"]["videoId"].as_str().unwrap().parse().unwrap()
    }

    /// What the store tells when the parts of a video have been put together.
    async fn hear_from_the_store(&self, id: VideoId) {
        let event = json!({ "Records": [{
            "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
            "eventTime": "2026-11-20T09:00:00.000Z", "eventName": "ObjectCreated:CompleteMultipartUpload",
            "s3": { "s3SchemaVersion": "1.0", "configurationId": "uploads", "bucket": { "name": "lyceum" },
                "object": { "key": original(id), "size": 1, "sequencer": "0A1B2C3D4E5F678901" } },
        }] });
        let hook = self.app.client.post(format!("{}/hooks/storage", self.app.url)).bearer_auth(HOOK_SECRET);
        assert_eq!(hook.json(&event).send().await.unwrap().status(), 204);
    }

    /// Puts a video of `owner` where an upload would have put it.
    async fn arrive(&self, owner: &User, content: Vec<u8>) -> VideoId {
        let (clock, size) = (&self.app.app.clock, content.len());
        let id = VideoId::new(clock.uuid());
        let key = original(id);
        self.storage.put(&key, "video/mp4", content.into()).await.unwrap();
        let owner: UserId = owner.id.parse().unwrap();
        self.app
            .sql(&format!(
                "INSERT INTO videos (id, owner_id, filename, object_key, content_type, size_bytes, status, created_at, \
                 updated_at, delete_after) VALUES ('{}', '{}', 'ownership.mp4', '{key}', 'video/mp4', {size}, 'UPLOADED', \
                 '{now}', '{now}', '{now}'::timestamptz + interval '7 days')",
                id.uuid(),
                owner.uuid(),
                now = clock.now().to_rfc3339(),
            ))
            .await;
        let event = VideoUploaded { video_id: id };
        let told = self.app.app.db.transaction(async |tx| outbox::record(tx, clock, &event).await).await;
        told.unwrap();
        id
    }

    /// What its owner sees of a video.
    async fn video(&self, id: VideoId) -> Value {
        let query = "query ($id: ID!) { video(id: $id) { id filename contentType sizeBytes status progressPercent failure \
            durationSeconds width height posterUrl captions { language label } deletionDueAt } }";
        self.app.data(Some(&self.ada.token), query, json!({ "id": id.encode() })).await["video"].take()
    }

    /// A course of Ada's with one published lesson that shows the video; the lesson's id.
    async fn lesson(&self, video: VideoId, title: &str) -> String {
        let course = self.app.course(&self.ada, title, 0).await;
        let lesson = self.app.lesson_without_video(&self.ada, &course, title).await;
        self.show(&lesson, Some(video)).await;
        // Published as if the video could be watched already, as when it replaces another one.
        let status = format!("SELECT status FROM videos WHERE id = '{}'", video.uuid());
        let status = self.app.sql(&status).await;
        let set = |status: &str| format!("UPDATE videos SET status = '{status}' WHERE id = '{}'", video.uuid());
        self.app.sql(&set("READY")).await;
        self.app.publish(&self.ada, &lesson).await;
        self.app.mutate(&self.ada, "publishCourse", "course { id }", json!({ "courseId": course.id })).await;
        self.app.sql(&set(&status)).await;
        lesson
    }

    /// Sets the video of a lesson; without one, the lesson cannot be published.
    async fn show(&self, lesson: &str, video: Option<VideoId>) {
        if video.is_none() {
            self.app.mutate(&self.ada, "unpublishLesson", "lesson { id }", json!({ "lessonId": lesson })).await;
        }
        let input = json!({ "lessonId": lesson, "videoId": video.map(VideoId::encode) });
        self.app.edit(&self.ada, "setLessonVideo", "lesson { id }", input).await;
    }

    /// Makes a lesson one that everybody may watch.
    async fn preview(&self, lesson: &str, is_preview: bool) {
        let lesson = uuid(lesson);
        self.app.sql(&format!("UPDATE lessons SET is_preview = {is_preview} WHERE id = '{lesson}'")).await;
        self.app.forget_rows();
    }

    /// The answer to the question where to play a lesson's video from.
    async fn play(&self, token: Option<&str>, lesson: &str) -> Value {
        self.app.send(token, PLAY, json!({ "id": lesson })).await
    }

    /// Time goes by, and Ada's token ends.
    async fn later(&mut self, time: chrono::TimeDelta) {
        self.app.app.clock.advance(time);
        self.ada.token = self.another_session(&self.ada).await;
    }

    /// The token of another session.
    async fn another_session(&self, user: &User) -> String {
        let app = &self.app.app;
        let key = UserById(user.id.parse::<UserId>().unwrap());
        let row = UserById::load(app, &[key]).await.unwrap().remove(&key).unwrap();
        let client = Client::new(None, "another");
        let opened = app.db.transaction(async |tx| accounts::open(tx, app, &client, &row).await).await;
        opened.unwrap().tokens.access_token
    }

    /// All objects of a video.
    async fn objects(&self, id: VideoId) -> usize {
        let folder = format!("videos/{}", id.uuid().simple());
        count_files(&self.store.as_ref().unwrap().folder().join("lyceum-test").join(folder))
    }
}

const PLAY: &str =
    "query ($id: ID!) { node(id: $id) { ... on Lesson { video { videoId status durationSeconds width height
    posterUrl playback { url hlsUrl captions { language label url } expiresAt } } } } }";

fn playback(answer: &Value) -> &Value {
    assert!(answer.get("errors").is_none(), "{answer:#}");
    &answer["data"]["node"]["video"]["playback"]
}

/// Where a file is that was uploaded in parts.
fn original(id: VideoId) -> String {
    format!("videos/{}/original", id.uuid().simple())
}

fn uuid(id: &str) -> Uuid {
    lyceum::graphql::id::split(id).unwrap().1
}

fn count_files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let entries = entries.map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { count_files(&path) } else { 1 }).sum()
}

fn search_path() -> Option<OsString> {
    std::env::var_os("PATH")
}

fn ffmpeg(arguments: &[&str]) {
    let run = Command::new("ffmpeg").args(["-nostdin", "-y", "-v", "error"]).args(arguments).output();
    let run = run.expect("there is no ffmpeg: `make deps-test` installs what tests need");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

/// What ffprobe says of an address or a file.
fn ffprobe(arguments: &[&str]) -> String {
    let run = Command::new("ffprobe").args(["-v", "error", "-of", "csv=p=0"]).args(arguments).output().unwrap();
    assert!(run.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap()
}

/// A video of 14 seconds, 640 × 360, H.264 and AAC, with a key frame in each second.
fn mp4() -> Vec<u8> {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    let file = MADE.get_or_init(|| {
        let file = cluster::folder().join("ownership.mp4");
        let (pictures, sound) = ("testsrc2=size=640x360:rate=24:duration=14", "sine=frequency=440:duration=14");
        let inputs = ["-f", "lavfi", "-i", pictures, "-f", "lavfi", "-i", sound];
        let codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "24", "-pix_fmt", "yuv420p", "-c:a", "aac"];
        let name = file.display().to_string();
        ffmpeg(&[&inputs[..], &codecs, &["-movflags", "+faststart", &name]].concat());
        file
    });
    std::fs::read(file).unwrap()
}
