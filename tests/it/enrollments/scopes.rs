//! Entitlements to categories and to everything, and what the nightly recount repairs.

use super::*;

impl School {
    /// An entitlement as a membership will give it.
    async fn entitle(&self, user: &User, scope: &str, category: Option<&str>, expires: &str) {
        let category = category.map_or("NULL".into(), |id| format!("'{}'", uuid(id)));
        let user = uuid(&user.id);
        let sql = format!(
            "INSERT INTO entitlements (id, user_id, scope, category_id, source, starts_at, expires_at) VALUES
             (gen_random_uuid(), '{user}', '{scope}', {category}, 'MEMBERSHIP', '2020-01-01', {expires})"
        );
        self.app.sql(&sql).await;
    }

    async fn category(&self, name: &str, parent: Option<&str>) -> String {
        let input = json!({ "name": name, "parentId": parent });
        let made = self.app.mutate(&self.root, "createCategory", "category { id }", input).await;
        made["category"]["id"].as_str().unwrap().to_owned()
    }

    async fn sort_into(&self, category: &str) {
        let input = json!({ "courseId": self.course.id, "categoryId": category });
        self.app.edit(&self.root, "updateCourse", "course { id }", input).await;
    }
}

fn uuid(id: &str) -> uuid::Uuid {
    lyceum::graphql::id::split(id).unwrap().1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entitlement_to_a_category_opens_the_courses_below_it() {
    let school = school().await;
    let subjects = school.category("Subjects", None).await;
    let engines = school.category("Engines", Some(&subjects)).await;
    let other = school.category("Music", None).await;
    school.entitle(&school.sam, "CATEGORY", Some(&subjects), "NULL").await;
    assert_eq!(school.reason(Some(&school.sam)).await, "NOT_ENROLLED", "the course is in no category");
    for (category, expected) in [(&engines, "ENTITLED"), (&other, "NOT_ENROLLED"), (&subjects, "ENTITLED")] {
        school.sort_into(category).await;
        assert_eq!(school.reason(Some(&school.sam)).await, expected);
    }
    assert_eq!(school.students().await, 0, "students of a course are those entitled to it by itself");
    school.app.sql("DELETE FROM entitlements").await;
    school.entitle(&school.sam, "EVERYTHING", None, "'2999-01-01'").await;
    let access = school.access(Some(&school.sam)).await;
    assert_eq!((&access["reason"], &access["source"]), (&json!("ENTITLED"), &json!("MEMBERSHIP")));
    assert_eq!(access["expiresAt"], "2999-01-01T00:00:00+00:00");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_for_everything_expires_like_the_rest() {
    let school = school().await;
    school.entitle(&school.sam, "EVERYTHING", None, &format!("'{}'", school.now() + TimeDelta::minutes(5))).await;
    assert_eq!(school.reason(Some(&school.sam)).await, "ENTITLED");
    school.pass(TimeDelta::minutes(6)).await;
    assert_eq!(school.reason(Some(&school.sam)).await, "EXPIRED");
    school.app.run("enrollments.expire_due").await;
    assert_eq!(school.app.sql("SELECT end_reason FROM entitlements").await, "EXPIRED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recount_repairs_a_count_and_the_sort_keys_follow() {
    let school = school().await;
    school.grant(&school.sam, None).await;
    school.app.run("catalog.refresh_sort_keys").await;
    assert_eq!(school.app.sql("SELECT popularity FROM courses").await, "1");
    school.app.sql("UPDATE course_stats SET student_count = 7, stars_4 = 1, stars_5 = 1").await;
    school.app.run("catalog.recount_students").await;
    assert_eq!(school.students().await, 1);
    school.app.sql("UPDATE course_stats SET student_count = 5").await;
    school.app.run("catalog.refresh_sort_keys").await;
    assert_eq!(school.app.sql("SELECT popularity || ' ' || rating_hundredths FROM courses").await, "5 450");
}
