//! Clients that mean harm: they don't read what they asked for, or what they send is no request. The others don't
//! notice, and the server keeps nothing of it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::support::eventually;
use crate::support::process::{Node, Site};
use crate::support::socket::PATIENCE;
use crate::support::{http, rounds};

/// Its connections are counted by themselves: the other clients are 127.0.0.1, and all of 127.0.0.0/8 is this machine.
const ATTACKER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// How long another client waits for an answer at most: alone 0.2 s, but other tests may convert videos meanwhile.
const WAIT: Duration = Duration::from_secs(5);

/// How long an attacker waits for an answer before it leaves.
const MOMENT: Duration = Duration::from_millis(50);

/// A client that means no harm and asks all the time.
struct Bystander {
    asking: JoinHandle<(usize, Duration)>,
    done: CancellationToken,
}

impl Bystander {
    fn of(node: &Node) -> Bystander {
        let done = CancellationToken::new();
        let asking = tokio::spawn(ask(format!("{}/graphql", node.url), done.clone()));
        Bystander { asking, done }
    }

    /// It leaves, and was always answered in time.
    async fn was_served(self) {
        self.done.cancel();
        let (answers, longest) = self.asking.await.unwrap();
        println!("a bystander got {answers} answers, and waited for one {longest:?} at most");
        assert!(answers > 2 && longest < WAIT, "{answers} answers, and {longest:?} for one");
    }
}

/// Asks every 20 ms until it is done; how many answers there were, and how long the slowest took.
async fn ask(url: String, done: CancellationToken) -> (usize, Duration) {
    let client = http::client();
    let (mut answers, mut longest) = (0, Duration::ZERO);
    while !done.is_cancelled() {
        let asked = Instant::now();
        let request = client.post(&url).json(&json!({ "query": "{ courses { totalCount } }" })).timeout(PATIENCE);
        let body: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(body["data"]["courses"]["totalCount"], 1, "{body:#}");
        longest = longest.max(asked.elapsed());
        answers += 1;
        sleep(Duration::from_millis(20)).await;
    }
    (answers, longest)
}

fn address(node: &Node) -> SocketAddr {
    node.url.strip_prefix("http://").unwrap().parse().unwrap()
}

/// A connection of the attacker.
async fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(ATTACKER, 0))?;
    socket.connect(address).await
}

/// Whether the attacker is answered at all.
async fn is_served(address: SocketAddr) -> bool {
    let Ok(mut stream) = connect(address).await else { return false };
    _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.is_ok_and(|_| answer == *b"HTTP/1.1 200")
}

async fn metric(node: &Node, name: &str) -> usize {
    let answer = node.client.get(format!("{}/metrics", node.url)).send().await.unwrap();
    let text = answer.text().await.unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("{text}")).parse().unwrap()
}

/// The folder in `/proc` of the process that serves at the node's address.
fn process(node: &Node) -> PathBuf {
    let own = format!("LYCEUM_ADDR={}", address(node));
    let is_it = |folder: &Path| {
        let arguments = std::fs::read(folder.join("cmdline")).unwrap_or_default();
        let variables = std::fs::read(folder.join("environ")).unwrap_or_default();
        arguments.split(|byte| *byte == 0).any(|argument| argument == b"serve")
            && variables.split(|byte| *byte == 0).any(|variable| variable == own.as_bytes())
    };
    let mut folders = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    folders.find(|folder| is_it(folder)).expect("no process serves at this address")
}

/// What a process has in memory, in MiB: `VmRSS` now, `VmHWM` at most so far.
fn memory(process: &Path, what: &str) -> u64 {
    let status = std::fs::read_to_string(process.join("status")).unwrap();
    let size = status.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':')?.trim().strip_suffix(" kB"));
    size.unwrap_or_else(|| panic!("{status}")).parse::<u64>().unwrap() / 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_nobody_reads_are_given_up() {
    const PLACES: usize = 16;
    const TOO_MANY: usize = 8;
    const REQUESTS: usize = 64;
    let site = Site::new().await.set("LYCEUM_MAX_CLIENT_CONNECTIONS", &PLACES.to_string()).seed(1);
    // An answer of one megabyte that is quickly made, so that it is about memory: letters of four bytes, 13 times.
    site.sql("UPDATE courses SET description = repeat('🎓', 20000)").await;
    let node = site.serve().await;
    let (address, process) = (address(&node), process(&node));
    let fields: String = (0..13).map(|n| format!("a{n}: courses(first: 1) {{ nodes {{ description }} }} ")).collect();
    let body = json!({ "query": format!("{{ {fields}}}") }).to_string();
    let request = node.client.post(format!("{}/graphql", node.url)).header("content-type", "application/json");
    let answer = request.body(body.clone()).send().await.unwrap().text().await.unwrap();
    assert!(answer.len() > 1_000_000, "{} bytes", answer.len());

    let bystander = Bystander::of(&node);
    let (before, tasks) = (memory(&process, "VmRSS"), metric(&node, "lyceum_background_tasks").await);
    let length = body.len();
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let requests = format!("{head}content-length: {length}\r\n\r\n{body}").repeat(REQUESTS);
    let mut open = Vec::new();
    for _ in 0..PLACES + TOO_MANY {
        let mut stream = connect(address).await.unwrap();
        // Whoever has no place is cut off, perhaps while it writes.
        _ = timeout(PATIENCE, stream.write_all(requests.as_bytes())).await;
        open.push(stream);
        // It is about what the server keeps, not about how many answers it makes at once.
        sleep(MOMENT).await;
    }
    eventually("those without a place are refused", async || {
        metric(&node, "lyceum_connections_refused_total").await == TOO_MANY
    })
    .await;
    sleep(Duration::from_secs(2)).await;
    // Each has been waiting for its reader by now, since the system's buffers are full.
    assert!(metric(&node, "lyceum_background_tasks").await > PLACES, "they are still connected");
    assert!(!is_served(address).await, "one more than there are places");
    // The answers to all requests are a gigabyte.
    let most = memory(&process, "VmHWM");
    println!("{before} MiB before, {most} MiB at most");
    assert!(most < before + 400, "{before} MiB before, {most} MiB at most");

    // Only a long run waits until the server loses its patience, after 30 s. In a short one they leave by themselves.
    if rounds(1) > 1 {
        sleep(Duration::from_secs(20)).await;
    } else {
        open.clear();
    }
    // One more is the bystander, who may not have been there before.
    let given_up = async || metric(&node, "lyceum_background_tasks").await <= tasks + 1;
    eventually("their connections are closed", given_up).await;
    eventually("their places are free", async || is_served(address).await).await;
    bystander.was_served().await;
    let most = memory(&process, "VmHWM");
    assert!(most < before + 400, "{before} MiB before, {most} MiB at most");
    drop(open);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn junk_is_refused_and_forgotten() {
    let site = Site::new().await.seed(1);
    let mut node = site.serve().await;
    let (address, process, url) = (address(&node), process(&node), format!("{}/graphql", node.url));
    let before = memory(&process, "VmRSS");
    let bystander = Bystander::of(&node);
    let mut attackers = JoinSet::new();
    attackers.spawn(send_noise(address));
    attackers.spawn(leave_early(address));
    attackers.spawn(send_frames(address));
    attackers.spawn(send_bodies(url.clone()));
    attackers.spawn(send_misprints(url.clone()));
    attackers.spawn(send_documents(url.clone(), true));
    attackers.spawn(send_documents(url, false));
    while let Some(attacker) = attackers.join_next().await {
        attacker.unwrap();
    }
    bystander.was_served().await;
    assert!(node.is_running(), "{}", node.output());
    eventually("no socket is open", async || node.sockets().await == 0).await;
    let log = node.output();
    let faults: Vec<&str> = log.lines().filter(|line| line.contains("panicked") || line.contains(" ERROR ")).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let after = memory(&process, "VmRSS");
    println!("{before} MiB before, {after} MiB afterwards");
    assert!(after < before + 150, "{before} MiB before, {after} MiB afterwards");
}

/// Numbers that look random and are the same in each run: SplitMix64.
struct Numbers(u64);

impl Numbers {
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.draw() % limit as u64) as usize
    }

    /// One to `most` bytes.
    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = 1 + self.below(most);
        (0..length).map(|_| self.draw() as u8).collect()
    }
}

/// Sends bytes over a connection of their own. What is answered, if anything is, must be a refusal.
async fn send(address: SocketAddr, bytes: &[u8], reset: bool) {
    let mut stream = connect(address).await.unwrap();
    // The server may close the connection meanwhile.
    _ = stream.write_all(bytes).await;
    let mut answer = [0; 512];
    if let Ok(Ok(length)) = timeout(MOMENT, stream.read(&mut answer)).await {
        let head = String::from_utf8_lossy(&answer[..length]);
        assert!(head.is_empty() || head.starts_with("HTTP/1.1 4"), "{head}");
    }
    leave(stream, reset);
}

/// Closes a connection, or resets it, which the other side hears of in the midst of whatever it does.
fn leave(stream: TcpStream, reset: bool) {
    if reset {
        _ = stream.set_zero_linger();
    }
    drop(stream);
}

/// Bytes that are no request, even if they begin as one.
async fn send_noise(address: SocketAddr) {
    let starts =
        ["", "\r\n", "GET ", "PRI * HTTP/2.0\r\n\r\n", "POST /graphql HTTP/1.1\r\n", "GET /nowhere HTTP/1.1\r\nx: "];
    let mut numbers = Numbers(1);
    for round in 0..rounds(60) {
        let mut noise = starts[round % starts.len()].as_bytes().to_vec();
        noise.extend(numbers.bytes(4096));
        noise.extend(b"\r\n\r\n");
        send(address, &noise, numbers.below(2) == 0).await;
    }
}

/// Requests that are not finished, that contradict themselves, or whose answer nobody waits for.
async fn leave_early(address: SocketAddr) {
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let rests = [
        "",
        "content-le",
        "content-length: 99\r\n",
        "content-length: 99\r\n\r\n{ \"query\": \"{ courses",
        "content-length: -1\r\n\r\n{}",
        "content-length: 99999999999999999999999\r\n\r\n{}",
        "content-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        "content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}",
        "transfer-encoding: chunked\r\n\r\n5\r\nab",
        "transfer-encoding: chunked\r\n\r\nZZ\r\n",
        "transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    ];
    let body = json!({ "query": "{ courses { nodes { title } } }" }).to_string();
    let whole = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    let mut numbers = Numbers(2);
    for round in 0..rounds(60) {
        let request = format!("{head}{}", rests[round % rests.len()]);
        send(address, request.as_bytes(), numbers.below(2) == 0).await;
        let mut stream = connect(address).await.unwrap();
        stream.write_all(whole.as_bytes()).await.unwrap();
        leave(stream, numbers.below(2) == 0);
    }
}

/// WebSockets on which there are no frames, no texts, or no messages.
async fn send_frames(address: SocketAddr) {
    let messages: [&[u8]; 8] = [
        b"",
        b"{}",
        b"[[[[[[[[",
        b"\"connection_init\"",
        b"{\"type\":\"subscribe\",\"id\":\"1\",\"payload\":{\"query\":\"{ __typename }\"}}",
        b"{\"type\":\"connection_init\",\"payload\":{\"authorization\":7}}",
        b"{\"type\":\"connection_init\",\"payload\":{\"authorization\":\"Bearer \xff\"}}",
        b"{\"type\":\"nothing\"}",
    ];
    let mut numbers = Numbers(3);
    for round in 0..rounds(60) {
        let protocol = if round % 5 == 0 { "" } else { "sec-websocket-protocol: graphql-transport-ws\r\n" };
        let upgrade = format!(
            "GET /graphql HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{protocol}\r\n"
        );
        let mut stream = connect(address).await.unwrap();
        stream.write_all(upgrade.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        timeout(PATIENCE, stream.read_exact(&mut answer)).await.expect("no answer").unwrap();
        assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 101");
        let junk = match round % 4 {
            0 => numbers.bytes(4096),
            1 => frame(&numbers.bytes(4096)),
            // A frame that would be far larger than the memory.
            2 => [0x81, 0xff].into_iter().chain([0x7f; 8]).chain(numbers.bytes(4096)).collect(),
            _ => [frame(messages[numbers.below(messages.len())]), frame(&numbers.bytes(100))].concat(),
        };
        _ = stream.write_all(&junk).await;
        let mut rest = [0; 512];
        _ = timeout(MOMENT, stream.read(&mut rest)).await;
        leave(stream, numbers.below(2) == 0);
    }
}

/// A text frame. Its mask of zeros leaves the text as it is.
fn frame(text: &[u8]) -> Vec<u8> {
    let mut frame: Vec<u8> = vec![0x81];
    match u16::try_from(text.len()).unwrap() {
        short @ 0..126 => frame.push(0x80 | short as u8),
        long => {
            frame.push(0x80 | 126);
            frame.extend(long.to_be_bytes());
        }
    }
    frame.extend([0_u8; 4]);
    frame.extend(text);
    frame
}

/// Bodies each of which is wrong.
fn bodies() -> Vec<Vec<u8>> {
    const HUGE: usize = 300_000;
    let texts = [
        "",
        "  \n ",
        "hello",
        "1",
        "null",
        "\"{ __typename }\"",
        "[]",
        "[1]",
        "[[]]",
        "[{}]",
        "{}",
        "{]",
        "{ \"query\":",
        "{ \"query\": 1 }",
        "{ \"query\": null }",
        "{ \"query\": [\"{ __typename }\"] }",
        "{ \"query\": \"\" }",
        "{ \"query\": \"{ __typename }\" } {}",
        "{ \"query\": \"{ __typename }\", \"variables\": [] }",
        "{ \"query\": \"{ __typename }\", \"variables\": { \"a\": 1e999 } }",
        "{ \"query\": \"{ __typename }\", \"operationName\": 7 }",
        "{ \"query\": \"{ __typename }\", \"extensions\": [] }",
    ];
    let deep = [
        "[".repeat(100_000),
        format!("{{ \"query\": \"{{ __typename }}\", \"variables\": {}", "{ \"a\": ".repeat(100_000)),
    ];
    let argument = |value: String| format!("{{ courses(first: {value}) {{ totalCount }} }}");
    let documents = [
        // Deep ones: selections, fragments, lists, objects, types.
        "{ a ".repeat(400) + &"}".repeat(400),
        "{ ... ".repeat(900) + "{ a" + &"}".repeat(901),
        argument("[".repeat(1900) + &"]".repeat(1900)),
        argument("{ a: ".repeat(900) + "1" + &"}".repeat(900)),
        format!("query ($a: {}Int{}) {{ __typename }}", "[".repeat(1900), "]".repeat(1900)),
        // Huge ones: a name, numbers, texts with and without an end, a comment, many tokens.
        format!("{{ {} }}", "a".repeat(HUGE)),
        argument("9".repeat(HUGE)),
        argument(format!("\"{}\"", "b".repeat(HUGE))),
        argument(format!("\"\"\"{}\"\"\"", "\n".repeat(HUGE))),
        format!("{{ a(b: \"{}", "c".repeat(HUGE)),
        "#".repeat(HUGE),
        "{ a } ".repeat(HUGE / 6),
        // Letters that don't belong there.
        "{ \0 }".into(),
        "{ \u{202e}\u{ffff} }".into(),
    ];
    let raw: [&[u8]; 3] =
        [b"{ \"query\": \"{ \xff\xfe }\" }", b"\xff\xfe{\x00}\x00", b"\x1f\x8b\x08\x00\x00\x00\x00\x00"];
    let texts = texts.into_iter().map(|text| text.as_bytes().to_vec());
    let documents = documents.into_iter().map(|query| json!({ "query": query }).to_string().into_bytes());
    let raw = raw.into_iter().map(<[u8]>::to_vec);
    texts.chain(deep.into_iter().map(String::into_bytes)).chain(documents).chain(raw).collect()
}

/// The attacker as a client with connections that it keeps.
fn attacker() -> reqwest::Client {
    http::builder().local_address(ATTACKER).build().unwrap()
}

/// Posts a body as JSON, and returns the status and the text of the answer, which is never the server's fault.
async fn post(client: &reqwest::Client, url: &str, body: Vec<u8>) -> (u16, String) {
    let sent = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
    let request = client.post(url).header("content-type", "application/json").body(body).timeout(PATIENCE);
    let answer = request.send().await.unwrap_or_else(|error| panic!("{sent}: {error:?}"));
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap_or_else(|error| panic!("{sent}: {error:?}"));
    assert!(status < 500, "{sent}: {status} {text}");
    (status, text)
}

async fn send_bodies(url: String) {
    let client = attacker();
    for _ in 0..rounds(1) {
        for body in bodies() {
            let start = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
            let (status, text) = post(&client, &url, body).await;
            assert!(text.starts_with("{\"errors\":"), "{start}: {status} {}", &text[..text.floor_char_boundary(500)]);
        }
    }
}

/// A good request with a few bytes changed, which may or may not be one still.
async fn send_misprints(url: String) {
    let query =
        "query Page($first: Int = 5) { courses(first: $first) { nodes { ...C } } } fragment C on Course { id title }";
    let good = json!({ "query": query, "operationName": "Page", "variables": { "first": 3 } }).to_string().into_bytes();
    let (client, mut numbers) = (attacker(), Numbers(4));
    for _ in 0..rounds(200) {
        let mut body = good.clone();
        for _ in 0..1 + numbers.below(4) {
            let place = numbers.below(body.len());
            match numbers.below(3) {
                0 => body[place] = numbers.draw() as u8,
                1 => _ = body.remove(place),
                _ => body.insert(place, b"{}[]()\"\\:,$@!|&#. \n0eE-_"[numbers.below(24)]),
            }
        }
        post(&client, &url, body).await;
    }
}

/// Small documents, no two of which are the same. A long run has more valid ones than the server remembers.
async fn send_documents(url: String, valid: bool) {
    const BATCH: usize = 10;
    let client = attacker();
    for batch in 0..rounds(2_000) / BATCH {
        let numbers = batch * BATCH..(batch + 1) * BATCH;
        let document = |n| if valid { format!("query Q{n} {{ __typename }}") } else { format!("{{ a{n} }}") };
        let requests: Vec<Value> = numbers.map(|n| json!({ "query": document(n) })).collect();
        let (status, text) = post(&client, &url, json!(requests).to_string().into_bytes()).await;
        let answers: Vec<Value> = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status} {text}"));
        let refused = answers.iter().filter(|answer| answer.get("errors").is_some()).count();
        assert_eq!((answers.len(), refused), (BATCH, if valid { 0 } else { BATCH }), "{text}");
    }
}
