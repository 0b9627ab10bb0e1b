//! Certificates: issued once, revoked, shown, verified, printed.

use super::*;
use crate::support::app::code_of;
use crate::support::pdf::text_of;

const MINE: &str = "query ($id: ID!) { course(id: $id) { viewerEnrollment { certificate {
    id code holderName courseTitle course { title } issuedAt revokedAt url pdfUrl isPublic } } } }";
const VERIFY: &str =
    "query ($code: String!) { certificate(code: $code) { code holderName courseTitle issuedAt revokedAt isPublic } }";

impl School {
    async fn finish(&self) {
        let query = "query ($id: ID!) { course(id: $id) { lessons { nodes { id } } } }";
        let data = self.app.data(Some(&self.ada.token), query, json!({ "id": self.course.id })).await;
        for lesson in data["course"]["lessons"]["nodes"].as_array().unwrap() {
            self.set(lesson["id"].as_str().unwrap(), true).await;
        }
    }

    async fn set(&self, lesson: &str, completed: bool) {
        let input = json!({ "lessonId": lesson, "completed": completed });
        self.app.mutate(&self.sam, "setLessonCompleted", "enrollment { id }", input).await;
    }

    async fn certificate(&self) -> Value {
        let data = self.app.data(Some(&self.sam.token), MINE, json!({ "id": self.course.id })).await;
        data["course"]["viewerEnrollment"]["certificate"].clone()
    }

    async fn verify(&self, token: Option<&str>, code: &str) -> Value {
        self.app.data(token, VERIFY, json!({ "code": code })).await["certificate"].take()
    }

    async fn picture(&self, token: Option<&str>, code: &str) -> (u16, String) {
        let response = self.file(token, &format!("{code}.svg")).await;
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// The text of the document.
    async fn printed(&self, token: Option<&str>, code: &str) -> String {
        let response = self.file(token, &format!("{code}.pdf")).await;
        assert_eq!(
            (response.status().as_u16(), &response.headers()["content-type"]),
            (200, &"application/pdf".parse().unwrap())
        );
        text_of(&response.bytes().await.unwrap())
    }

    async fn file(&self, token: Option<&str>, name: &str) -> reqwest::Response {
        let mut request = self.app.client.get(format!("{}/certificates/{name}", self.app.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_issued_once_and_kept() {
    let school = school().await;
    school.grant(&school.sam, None).await;
    assert_eq!(school.certificate().await, Value::Null);
    school.finish().await;
    let made = school.certificate().await;
    let code = made["code"].as_str().unwrap();
    assert_eq!((&made["holderName"], &made["courseTitle"]), (&json!("Sam"), &json!("Engines")));
    assert_eq!((&made["issuedAt"], &made["isPublic"]), (&json!(school.now().to_rfc3339()), &json!(false)));
    assert!(made["url"].as_str().unwrap().ends_with(&format!("/certificates/{code}.svg")), "{made:#}");
    // Lessons are added and undone, and all are completed again.
    let more = school.app.lesson(&school.ada, &school.course, "More").await;
    school.app.publish(&school.ada, &more).await;
    school.set(&more, true).await;
    school.set(&more, false).await;
    assert_eq!(school.certificate().await, made);
    school.finish().await;
    assert_eq!(school.certificate().await, made);
    school.app.sql("UPDATE users SET name = 'Samuel' WHERE name = 'Sam'").await;
    school.app.sql("UPDATE courses SET title = 'Motors'").await;
    school.app.forget_rows();
    let later = school.certificate().await;
    assert_eq!((&later["holderName"], &later["courseTitle"]), (&json!("Sam"), &json!("Engines")), "as it was then");
    let events = "SELECT count(*) FROM events WHERE kind = 'certificate_issued'";
    assert_eq!(school.app.sql(events).await, "1");
    school.revoke(&school.sam).await;
    school.app.sql("DELETE FROM courses").await;
    school.app.forget_rows();
    assert_eq!(school.verify(None, code).await["courseTitle"], "Engines", "it outlives the course");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_verifies_by_the_code_and_the_name_is_the_holders_to_show() {
    let school = school().await;
    school.grant(&school.sam, None).await;
    school.finish().await;
    let made = school.certificate().await;
    let (id, code) = (made["id"].as_str().unwrap(), made["code"].as_str().unwrap());
    let typed = format!("{}-{} {}", &code[..4], &code[4..8], &code[8..]).to_lowercase();
    let (sam, root, ada) = (Some(&*school.sam.token), Some(&*school.root.token), Some(&*school.ada.token));
    for (token, name) in [(None, Value::Null), (ada, Value::Null), (sam, json!("Sam")), (root, json!("Sam"))] {
        let seen = school.verify(token, &typed).await;
        assert_eq!(
            (&seen["code"], &seen["holderName"], &seen["courseTitle"]),
            (&json!(code), &name, &json!("Engines"))
        );
        let (status, svg) = school.picture(token, code).await;
        assert_eq!((status, svg.contains(">Sam<")), (200, !name.is_null()), "{svg}");
        assert!(svg.contains("Engines") && svg.contains(code), "{svg}");
    }
    let node = "query ($id: ID!) { node(id: $id) { id } }";
    for (token, sees) in [(None, false), (ada, false), (sam, true), (root, true)] {
        let found = school.app.data(token, node, json!({ "id": id })).await;
        assert_eq!(found["node"].is_object(), sees, "without the code");
    }
    for wrong in ["", "0123456789AB", "nothing", "%00"] {
        assert_eq!(school.verify(None, wrong).await, Value::Null);
        assert_eq!(school.picture(None, wrong).await.0, 404);
    }
    let input = json!({ "certificateId": id, "isPublic": true });
    let refused = school.refused(&school.ada, "setCertificateVisibility", input.clone()).await;
    assert_eq!(refused, [("NOT_FOUND".to_owned(), json!(["certificateId"]))]);
    school.app.mutate(&school.sam, "setCertificateVisibility", "certificate { isPublic }", input).await;
    assert_eq!(school.verify(None, code).await["holderName"], "Sam");
    assert!(school.picture(None, code).await.1.contains(">Sam<"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn administrators_revoke_with_a_reason() {
    let school = school().await;
    school.grant(&school.sam, None).await;
    school.finish().await;
    let made = school.certificate().await;
    let (id, code) = (made["id"].as_str().unwrap(), made["code"].as_str().unwrap());
    let query =
        "mutation ($input: RevokeCertificateInput!) { revokeCertificate(input: $input) { userErrors { code } } }";
    let input = json!({ "certificateId": id, "reason": "Somebody else did the work." });
    for (token, expected) in
        [(None, "UNAUTHENTICATED"), (Some(&*school.sam.token), "FORBIDDEN"), (Some(&*school.ada.token), "FORBIDDEN")]
    {
        let body = school.app.send(token, query, json!({ "input": input })).await;
        assert_eq!(code_of(&body), expected, "{body:#}");
    }
    let blank = school.refused(&school.root, "revokeCertificate", json!({ "certificateId": id, "reason": " " })).await;
    assert_eq!(blank, [("BLANK".to_owned(), json!(["reason"]))]);
    school.app.mutate(&school.root, "revokeCertificate", "certificate { revokedAt }", input.clone()).await;
    let seen = school.verify(None, code).await;
    assert_eq!(seen["revokedAt"], school.now().to_rfc3339());
    assert!(school.picture(None, code).await.1.contains("Revoked"), "who has the picture's address learns of it");
    let again = school.refused(&school.root, "revokeCertificate", input).await;
    assert_eq!(again, [("NOT_ALLOWED".to_owned(), json!(["certificateId"]))]);
    let trail = "SELECT details->>'reason' FROM audit_entries WHERE action = 'certificate_revoked' \
        AND subject_id = (SELECT id FROM users WHERE name = 'Sam')";
    assert_eq!(school.app.sql(trail).await, "Somebody else did the work.");
    let data = school.app.data(Some(&school.sam.token), "{ viewer { dataExport } }", json!({})).await;
    assert!(!data["viewer"]["dataExport"]["enrollments"].to_string().contains("Somebody"), "why is for administrators");
    // No other one is issued.
    let lesson = school.app.sql("SELECT id FROM lessons LIMIT 1").await;
    let lesson = lyceum::catalog::LessonId::new(lesson.parse().unwrap()).encode();
    school.set(&lesson, false).await;
    school.set(&lesson, true).await;
    assert_eq!(school.app.sql("SELECT count(*) FROM certificates").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_says_what_the_picture_says() {
    let school = school().await;
    school.grant(&school.sam, None).await;
    school.app.sql("UPDATE users SET name = 'Σοφία Łukasz Ёлкина' WHERE name = 'Sam'").await;
    school.app.forget_rows();
    school.finish().await;
    let made = school.certificate().await;
    let code = made["code"].as_str().unwrap();
    let (url, document) = (made["url"].as_str().unwrap(), made["pdfUrl"].as_str().unwrap());
    assert!(document.ends_with(&format!("/certificates/{code}.pdf")), "{document}");
    let (sam, root, ada) = (Some(&*school.sam.token), Some(&*school.root.token), Some(&*school.ada.token));
    for (token, is_named) in [(None, false), (ada, false), (sam, true), (root, true)] {
        let text = school.printed(token, code).await;
        assert_eq!(text.contains("Σοφία Łukasz Ёлкина"), is_named, "{text}");
        assert_eq!(text.contains("The holder of this certificate"), !is_named, "{text}");
        for told in ["Certificate of Completion", "Engines", "20 November 2026", code, url] {
            assert!(text.contains(told), "{told}: {text}");
        }
        assert!(!text.contains("Revoked"), "{text}");
    }
    let input = json!({ "certificateId": made["id"], "isPublic": true });
    school.app.mutate(&school.sam, "setCertificateVisibility", "certificate { isPublic }", input).await;
    assert!(school.printed(None, code).await.contains("Σοφία Łukasz Ёлкина"));
    let input = json!({ "certificateId": made["id"], "reason": "Mistake." });
    school.app.mutate(&school.root, "revokeCertificate", "certificate { id }", input).await;
    let revoked = school.printed(None, code).await;
    assert!(revoked.contains("Revoked on 20 November 2026") && !revoked.contains("Mistake"), "{revoked}");
    for wrong in ["0123456789AB.pdf", "nothing.pdf", code, &format!("{code}.png")] {
        assert_eq!(school.file(sam, wrong).await.status().as_u16(), 404, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_the_typeface_lacks_is_in_the_picture_and_there_is_no_document() {
    let school = school().await;
    school.grant(&school.sam, None).await;
    school.app.sql("UPDATE users SET name = '王小明' WHERE name = 'Sam'").await;
    school.app.forget_rows();
    school.finish().await;
    let made = school.certificate().await;
    let code = made["code"].as_str().unwrap();
    assert_eq!(made["pdfUrl"], Value::Null);
    let response = school.file(Some(&school.sam.token), &format!("{code}.pdf")).await;
    assert_eq!(response.status().as_u16(), 404);
    assert!(response.text().await.unwrap().contains(made["url"].as_str().unwrap()), "it says where the picture is");
    assert!(school.picture(Some(&school.sam.token), code).await.1.contains("王小明"));
    // Without the name there is nothing that it lacks.
    assert!(school.printed(None, code).await.contains("Engines"));
}

const OWN: &str = "query ($first: Int, $after: String, $last: Int) {
    viewer { certificates(first: $first, after: $after, last: $last) {
        totalCount nodes { courseTitle holderName revokedAt } pageInfo { endCursor hasNextPage } } } }";

impl School {
    /// A page of a user's own certificates, and the titles on it.
    async fn own(&self, user: &User, variables: Value) -> (Value, Vec<String>) {
        let list = self.app.data(Some(&user.token), OWN, variables).await["viewer"]["certificates"].take();
        let nodes = list["nodes"].as_array().unwrap().iter();
        let titles = nodes.map(|node| node["courseTitle"].as_str().unwrap().to_owned()).collect();
        (list, titles)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_viewer_has_a_list_of_their_own_certificates() {
    let mut school = school().await;
    assert_eq!(school.own(&school.sam, json!({})).await.0["totalCount"], 0);
    let few = school.app.statements(Some(&school.sam.token), OWN, json!({})).await;
    for number in 1..=3 {
        school.course = school.app.course(&school.ada, &format!("Engines {number}"), 1).await;
        school.app.mutate(&school.sam, "enroll", "entitlement { id }", json!({ "courseId": school.course.id })).await;
        school.finish().await;
        school.pass(TimeDelta::minutes(1)).await;
    }
    let (all, titles) = school.own(&school.sam, json!({})).await;
    assert_eq!(titles, ["Engines 3", "Engines 2", "Engines 1"], "latest first");
    assert_eq!((&all["totalCount"], &all["nodes"][0]["holderName"]), (&json!(3), &json!("Sam")), "to the holder");
    let (first, titles) = school.own(&school.sam, json!({ "first": 2 })).await;
    assert_eq!(titles, ["Engines 3", "Engines 2"]);
    let after = &first["pageInfo"]["endCursor"];
    assert_eq!(school.own(&school.sam, json!({ "first": 2, "after": after })).await.1, ["Engines 1"]);
    assert_eq!(school.own(&school.sam, json!({ "last": 1 })).await.1, ["Engines 1"]);
    let many = school.app.statements(Some(&school.sam.token), OWN, json!({})).await;
    assert_eq!(many, few, "as many statements for three as for none");

    let id = "query ($id: ID!) { course(id: $id) { viewerEnrollment { certificate { id } } } }";
    let id = school.app.data(Some(&school.sam.token), id, json!({ "id": school.course.id })).await;
    let id = &id["course"]["viewerEnrollment"]["certificate"]["id"];
    let input = json!({ "certificateId": id, "reason": "Another person did the work." });
    school.app.mutate(&school.root, "revokeCertificate", "certificate { id }", input).await;
    let (all, _) = school.own(&school.sam, json!({})).await;
    assert!(all["nodes"][0]["revokedAt"].is_string() && all["nodes"][1]["revokedAt"].is_null(), "{all:#}");
    assert_eq!(school.own(&school.root, json!({})).await.0["totalCount"], 0, "each has their own");
}
