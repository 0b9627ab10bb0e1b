//! `make bench ARGS=--push`: what it takes to push one event to thousands of idle WebSockets.
//!
//! 1,000, 5,000 and 10,000 students follow one course, whose instructor publishes ten lessons one after the other.
//! Prints the time from the request to publish until each socket has the message, the CPU time of the server per
//! delivered message, and its memory per idle socket; once with selections that are equal, so that each event is
//! executed once, and once with selections that differ in a variable, so that it is executed for each socket.
//!
//! Beside it, a bare broadcast of a text as long: `tokio-tungstenite`, a task for each socket and a
//! `tokio::sync::broadcast` channel, in a process of its own.

use std::io::{BufRead, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::{SinkExt, StreamExt};
use lyceum::catalog::{CourseId, LessonId};
use lyceum::platform::auth::{Grant, Role, Tokens};
use lyceum::platform::clock::Clock;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, mpsc};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};
use uuid::Uuid;

use super::cpu::Usage;
use super::{SECRET, connect, load, serve};

const SOCKETS: [usize; 3] = [1_000, 5_000, 10_000];
const PUBLICATIONS: usize = 10;
/// How many clients connect at the same time.
const CONNECTING: usize = 50;
/// How long one publication may take to reach all sockets.
const PATIENCE: Duration = Duration::from_secs(30);

/// The course has no thumbnail; `$width` only makes selections equal or different.
const QUERY: &str = "subscription ($course: ID!, $width: Int!) { newVideo(courseId: $course) { cursor isStart \
    publishedAt lesson { id title kind } course { id slug title thumbnail { url(width: $width) } } } }";

/// The text of a bare message, as long as a message of the server.
fn bare_text(number: usize) -> String {
    format!("{{\"type\":\"next\",\"id\":\"1\",\"payload\":{}\"Push {number}\"}}", "x".repeat(330))
}

/// A server to push from: a process, and what makes it push the lesson with a number.
enum Source {
    Lyceum {
        server: super::Server,
        same: bool,
        course: CourseId,
        lessons: Vec<LessonId>,
        tokens: Box<Tokens>,
        instructor: Uuid,
    },
    Bare {
        process: Child,
        addr: SocketAddr,
    },
}

/// What the clients saw of ten publications.
struct Seen {
    latencies: Vec<Duration>,
    lost: usize,
    duplicated: usize,
}

/// Measures each program and the bare broadcast.
pub(crate) async fn measure(programs: &[PathBuf], url: &str, folder: &Path) {
    let (course, instructor, students) = prepare(url).await;
    println!(
        "\n| sockets | server | p50 ms | p99 ms | max ms | lost | duplicated | µs of CPU per message | KiB per socket |"
    );
    println!("|---:|---|---:|---:|---:|---:|---:|---:|---:|");
    for sockets in SOCKETS {
        let programs = programs.iter().flat_map(|program| [Some((program, true)), Some((program, false))]);
        for program in programs.chain([None]) {
            let mut source = match program {
                Some((program, same)) => {
                    let lessons = drafts(url, course).await;
                    let tokens = Box::new(Tokens::new(SECRET, &[], TimeDelta::hours(1), Clock::System));
                    let server = serve(program, url, folder, "on").await;
                    let course = CourseId::new(course);
                    Source::Lyceum { server, same, course, lessons, tokens, instructor }
                }
                None => Source::bare(),
            };
            let name = program.map_or("bare".into(), |(program, same)| {
                format!("{}, {} selections", program.display(), if same { "equal" } else { "different" })
            });
            source.run(sockets, &name, &students).await;
            source.stop();
        }
    }
}

impl Source {
    fn bare() -> Source {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut process = command.arg("--bare").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        std::io::BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Source::Bare { process, addr: line.trim().parse().unwrap() }
    }

    fn pid(&self) -> u32 {
        match self {
            Source::Lyceum { server, .. } => server.process.id(),
            Source::Bare { process, .. } => process.id(),
        }
    }

    fn stop(self) {
        let (Source::Lyceum { server: super::Server { mut process, .. }, .. } | Source::Bare { mut process, .. }) =
            self;
        process.kill().unwrap();
        process.wait().unwrap();
    }

    async fn run(&mut self, sockets: usize, name: &str, students: &[Uuid]) {
        let before = resident(self.pid());
        let (told, mut heard) = mpsc::unbounded_channel();
        let mut clients = tokio::task::JoinSet::new();
        for number in 0..sockets {
            if number >= CONNECTING {
                clients.join_next().await.unwrap().unwrap();
            }
            let (opening, told) = (self.open(students[number % students.len()], number), told.clone());
            clients.spawn(async move {
                let socket = opening.await;
                tokio::spawn(listen(number, socket, told));
            });
        }
        while let Some(done) = clients.join_next().await {
            done.unwrap();
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        let memory = resident(self.pid()).saturating_sub(before);
        let usage = Usage::of(self.pid());
        let mut seen = Seen { latencies: Vec::new(), lost: 0, duplicated: 0 };
        for number in 0..PUBLICATIONS {
            let begun = Instant::now();
            self.publish(number).await;
            let mut got = vec![0; sockets];
            let mut missing = sockets;
            let all = async {
                while missing > 0 {
                    let (socket, published, at): (usize, usize, Instant) = heard.recv().await.unwrap();
                    if published != number {
                        seen.duplicated += 1;
                        continue;
                    }
                    got[socket] += 1;
                    if got[socket] == 1 {
                        missing -= 1;
                        seen.latencies.push(at - begun);
                    }
                }
            };
            _ = timeout(PATIENCE, all).await;
            seen.lost += missing;
            seen.duplicated += got.iter().map(|count: &usize| count.saturating_sub(1)).sum::<usize>();
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        let cpu = Usage::of(self.pid()).since(&usage) * 1000.0 / (sockets * PUBLICATIONS) as f64;
        seen.latencies.sort_unstable();
        let ms = |share: f64| {
            let place = ((seen.latencies.len().max(1) - 1) as f64 * share) as usize;
            seen.latencies.get(place).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1000.0)
        };
        println!(
            "| {sockets} | {name} | {:.0} | {:.0} | {:.0} | {} | {} | {cpu:.1} | {:.1} |",
            ms(0.5),
            ms(0.99),
            ms(1.0),
            seen.lost,
            seen.duplicated,
            memory as f64 / sockets as f64
        );
    }

    /// Opens a socket that follows; the first message has arrived.
    fn open(&self, student: Uuid, number: usize) -> impl Future<Output = WebSocketStream<TcpStream>> + use<> {
        let (addr, init) = match self {
            Source::Lyceum { server, same, course, tokens, .. } => {
                let width = if *same { 320 } else { number % 4000 + 1 };
                let grant = Grant { user: student, role: Role::Student, session: student, version: 0 };
                let authorization = format!("Bearer {}", tokens.issue(grant).unwrap().0);
                let init = json!({ "type": "connection_init", "payload": { "authorization": authorization } });
                let payload = json!({ "query": QUERY, "variables": { "course": course.encode(), "width": width } });
                (server.addr, vec![init, json!({ "type": "subscribe", "id": "1", "payload": payload })])
            }
            Source::Bare { addr, .. } => (*addr, Vec::new()),
        };
        async move {
            let mut request = format!("ws://{addr}/graphql").into_client_request().unwrap();
            let protocol = lyceum::http::websocket::PROTOCOL.parse().unwrap();
            if !init.is_empty() {
                request.headers_mut().insert("sec-websocket-protocol", protocol);
            }
            let stream = TcpStream::connect(addr).await.unwrap();
            let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
            for message in init {
                socket.send(Message::text(message.to_string())).await.unwrap();
                let answer = socket.next().await.unwrap().unwrap();
                assert!(
                    answer.to_text().unwrap().contains("\"connection_ack\"")
                        || answer.to_text().unwrap().contains("true")
                );
            }
            socket
        }
    }

    async fn publish(&mut self, number: usize) {
        match self {
            Source::Lyceum { server, lessons, tokens, instructor, .. } => {
                let grant = Grant { user: *instructor, role: Role::Instructor, session: *instructor, version: 0 };
                let token = tokens.issue(grant).unwrap().0;
                let query = "mutation ($input: PublishLessonInput!) { publishLesson(input: $input) { \
                    lesson { status } userErrors { message } } }";
                let input = json!({ "lessonId": lessons[number].encode() });
                let body = json!({ "query": query, "variables": { "input": input } }).to_string();
                let mut client = load::Client::connect(server.addr, 16 * 1024).await;
                let answer = client.exchange(&load::post_as(&body, Some(&token))).await;
                let answer: Value = serde_json::from_slice(client.read(answer)).unwrap();
                assert_eq!(answer["data"]["publishLesson"]["lesson"]["status"], "PUBLISHED", "{answer:#}");
            }
            Source::Bare { process, .. } => {
                let input = process.stdin.as_mut().unwrap();
                writeln!(input, "{number}").unwrap();
                input.flush().unwrap();
            }
        }
    }
}

/// Reports the number of each lesson that is pushed, and when.
async fn listen(
    socket: usize,
    mut stream: WebSocketStream<TcpStream>,
    told: mpsc::UnboundedSender<(usize, usize, Instant)>,
) {
    while let Some(Ok(message)) = stream.next().await {
        let Message::Text(text) = message else { continue };
        let Some((_, rest)) = text.split_once("\"Push ") else { continue };
        let number = rest.split('"').next().unwrap().parse().unwrap();
        if told.send((socket, number, Instant::now())).is_err() {
            return;
        }
    }
}

/// Serves the bare broadcast: of the text for each number that is read from standard input.
pub(crate) async fn serve_bare() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    let (sender, _) = broadcast::channel::<Message>(64);
    let publisher = sender.clone();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            drop(publisher.send(Message::text(bare_text(line.unwrap().parse().unwrap()))));
        }
    });
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut texts = sender.subscribe();
        tokio::spawn(async move {
            let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
            loop {
                tokio::select! {
                    text = texts.recv() => if socket.send(text.unwrap()).await.is_err() { return },
                    message = socket.next() => if !matches!(message, Some(Ok(_))) { return },
                }
            }
        });
    }
}

/// The resident memory of a process, in KiB.
fn resident(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Returns a published course, its instructor and the students, all of whom have sessions.
async fn prepare(url: &str) -> (Uuid, Uuid, Vec<Uuid>) {
    let client = connect(url).await;
    let sign_in = "INSERT INTO sessions \
        (id, user_id, user_agent, created_at, last_used_at, expires_at, authenticated_at) \
        SELECT id, id, 'bench', now(), now(), 'infinity', now() FROM users ON CONFLICT DO NOTHING";
    client.execute(sign_in, &[]).await.unwrap();
    let course = "SELECT id::text, instructor_id::text FROM courses \
        WHERE published_at IS NOT NULL AND archived_at IS NULL ORDER BY id LIMIT 1";
    let row = client.query_one(course, &[]).await.unwrap();
    let students = client.query("SELECT id::text FROM users WHERE role = 'STUDENT' ORDER BY id", &[]).await.unwrap();
    let id = |text: &str| text.parse::<Uuid>().unwrap();
    (id(row.get(0)), id(row.get(1)), students.iter().map(|row| id(row.get(0))).collect())
}

/// Makes drafts of video lessons in the course, `Push 0` and so on.
async fn drafts(url: &str, course: Uuid) -> Vec<LessonId> {
    let client = connect(url).await;
    let make = format!(
        "DELETE FROM video_references WHERE video_id IN (SELECT video_id FROM lessons WHERE title LIKE 'Push %');
        WITH old AS (DELETE FROM lessons WHERE title LIKE 'Push %' RETURNING video_id)
        DELETE FROM videos WHERE id IN (SELECT video_id FROM old);
        INSERT INTO videos (id, owner_id, filename, object_key, content_type, size_bytes, status, progress_percent,
            created_at, updated_at)
        SELECT gen_random_uuid(), instructor_id, 'Push ' || number, 'videos/push' || number || '/original', 'video/mp4',
            1, 'READY', 100, now(), now() FROM courses, generate_series(0, {}) AS number WHERE id = '{course}';
        INSERT INTO lessons
            (id, course_id, section_id, title, position, kind, duration_seconds, video_id, created_at, updated_at)
        SELECT videos.id, '{course}', (SELECT id FROM sections WHERE course_id = '{course}' LIMIT 1), filename,
            1000 + right(filename, 1)::int, 'VIDEO', 300, videos.id, now(), now() FROM videos
            WHERE filename LIKE 'Push %';
        INSERT INTO video_references SELECT id, 'lesson', id FROM videos WHERE filename LIKE 'Push %'",
        PUBLICATIONS - 1
    );
    client.batch_execute(&make).await.unwrap();
    let rows =
        client.query("SELECT id::text FROM lessons WHERE title LIKE 'Push %' ORDER BY title", &[]).await.unwrap();
    rows.iter().map(|row| LessonId::new(row.get::<_, &str>(0).parse().unwrap())).collect()
}
