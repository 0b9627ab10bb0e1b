//! Many readers and writers at once, compared with the database.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use lyceum::platform::auth::Role;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::LIMIT;
use crate::support::app::Course;
use crate::support::{TestApp, User, rounds};

const COURSES: usize = 4;
const READERS: usize = 3;

/// How often each course is written.
fn writes() -> u64 {
    rounds(60) as u64
}

struct School {
    /// Where everything is written, and another node that hears nothing.
    nodes: [TestApp; 2],
    ada: User,
    courses: Vec<Course>,
    /// When each version of each course was known to be committed.
    committed: Vec<Mutex<Vec<Instant>>>,
    done: AtomicBool,
    reads: AtomicUsize,
}

impl School {
    /// The version that a read which begins at `start` has to show at least.
    fn floor(&self, node: usize, course: usize, start: Instant) -> u64 {
        let committed = self.committed[course].lock().unwrap();
        let known = committed.iter().filter(|at| if node == 0 { **at <= start } else { **at + LIMIT <= start });
        u64::try_from(known.count()).unwrap()
    }

    /// All titles, from the catalog, from the courses' own pages and their sections.
    async fn read(&self, node: usize) -> Vec<(usize, u64)> {
        let pages = self.courses.iter().enumerate();
        let pages: String = pages
            .map(|(n, course)| {
                format!("c{n}: course(slug: \"{}\") {{ title sections {{ nodes {{ title }} }} }} ", course.slug)
            })
            .collect();
        let data = self.nodes[node]
            .data(None, &format!("{{ {pages} courses {{ nodes {{ slug title }} }} }}"), json!({}))
            .await;
        let mut found = Vec::new();
        for (number, course) in self.courses.iter().enumerate() {
            let page = &data[format!("c{number}")];
            found.push((number, version(&page["title"])));
            found.push((number, version(&page["sections"]["nodes"][0]["title"])));
            let nodes = data["courses"]["nodes"].as_array().unwrap();
            let listed = nodes.iter().find(|node| node["slug"] == course.slug.as_str()).unwrap();
            found.push((number, version(&listed["title"])));
        }
        found
    }

    async fn write(&self, course: usize) {
        for number in 1..=writes() {
            let title = number.to_string();
            // The section first: the course's version says that both are there.
            let input = json!({ "sectionId": self.courses[course].section, "version": number, "title": title });
            self.nodes[0].mutate(&self.ada, "updateSection", "section { id }", input).await;
            let input = json!({ "courseId": self.courses[course].id, "version": number, "title": title });
            self.nodes[0].mutate(&self.ada, "updateCourse", "course { id }", input).await;
            self.committed[course].lock().unwrap().push(Instant::now());
        }
    }
}

fn version(title: &Value) -> u64 {
    title.as_str().unwrap().parse().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_reads_what_is_older_than_it_may_be() {
    let app = TestApp::start().await;
    let ada = app.user("Ada", Role::Instructor).await;
    let mut courses = Vec::new();
    for number in 0..COURSES {
        courses.push(app.course(&ada, &format!("Course {number}"), 1).await);
    }
    let peer = app.peer().await;
    let committed = courses.iter().map(|_| Mutex::default()).collect();
    let (done, reads) = (AtomicBool::new(false), AtomicUsize::new(0));
    let school = Arc::new(School { nodes: [app, peer], ada, courses, committed, done, reads });
    let mut writers = JoinSet::new();
    for course in 0..COURSES {
        let school = school.clone();
        writers.spawn(async move { school.write(course).await });
    }
    let mut readers = JoinSet::new();
    for reader in 0..2 * READERS {
        let (school, node) = (school.clone(), reader % 2);
        readers.spawn(async move {
            while !school.done.load(Ordering::SeqCst) {
                let start = Instant::now();
                let floors: Vec<u64> = (0..COURSES).map(|course| school.floor(node, course, start)).collect();
                for (course, found) in school.read(node).await {
                    assert!(found >= floors[course], "node {node}: {found} instead of {}", floors[course]);
                }
                school.reads.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
    writers.join_all().await;
    let last = school.read(0).await;
    school.done.store(true, Ordering::SeqCst);
    readers.join_all().await;
    let app = &school.nodes[0];
    let stored = "SELECT string_agg(title, ' ' ORDER BY slug) FROM courses";
    assert_eq!(app.sql(stored).await, vec![writes().to_string(); COURSES].join(" "));
    assert!(last.iter().all(|(_, version)| *version == writes()), "{last:?}");
    assert!(school.reads.load(Ordering::SeqCst) > 20, "too few reads to prove anything");
}
