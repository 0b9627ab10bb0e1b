//! Reviews of courses, and the ratings that follow from them.

mod access;
mod leaving;
mod lists;
mod moderation;
mod races;
mod refunds;
mod writing;

use lyceum::platform::auth::Role;
use serde_json::{Value, json};

use crate::discussions::Room;
use crate::support::TestApp;
use crate::support::app::User;

const REVIEW: &str = "id stars body version editedAt hiddenAt voteCount viewerHasVoted viewerActions isByTeam \
    author { name } course { id } response { id body }";

impl Room {
    /// Reviews the course; returns the id.
    pub(crate) async fn review(&self, user: &User, stars: i32, body: &str) -> String {
        let input = json!({ "courseId": self.course.id, "stars": stars, "body": body });
        let made = self.app.mutate(user, "createReview", "review { id }", input).await;
        made["review"]["id"].as_str().unwrap().to_owned()
    }

    /// The code of the error of another review; empty if there is none.
    async fn reviewing(&self, user: Option<&User>) -> String {
        self.code(user, "createReview", json!({ "courseId": self.course.id, "stars": 3, "body": "So so." })).await
    }

    /// A review as a user sees it; null if they do not.
    async fn seen(&self, user: Option<&User>, id: &str) -> Value {
        let query = format!("query ($id: ID!) {{ node(id: $id) {{ ... on Review {{ {REVIEW} }} }} }}");
        self.app.data(user.map(|user| &*user.token), &query, json!({ "id": id })).await["node"].take()
    }

    /// Moderates a post; returns the code of the error.
    async fn judge(&self, user: &User, post: &str, action: &str) -> String {
        let input = json!({ "postId": post, "action": action, "reason": "Rules" });
        self.code(Some(user), "moderatePost", input).await
    }

    /// The average of the course's rating and its histogram, from 5 stars to 1. The count must fit.
    async fn rating(&self) -> (Value, [i64; 5]) {
        let query =
            "query ($id: ID!) { course(id: $id) { ratingAverage ratingCount ratingHistogram { stars count } } }";
        let data = self.app.data(None, query, json!({ "id": self.course.id })).await;
        let course = &data["course"];
        let counts = [0, 1, 2, 3, 4].map(|place: usize| {
            let bucket = &course["ratingHistogram"][place];
            assert_eq!(bucket["stars"], 5 - place);
            bucket["count"].as_i64().unwrap()
        });
        assert_eq!(course["ratingCount"], counts.iter().sum::<i64>());
        (course["ratingAverage"].clone(), counts)
    }

    /// The bodies of the reviews in a list, whose total count must fit.
    async fn bodies(&self, user: Option<&User>, arguments: &str) -> Vec<String> {
        let query = format!(
            "query ($id: ID!) {{ course(id: $id) {{ reviews{arguments} {{ totalCount nodes {{ body }} }} }} }}"
        );
        let data = self.app.data(user.map(|user| &*user.token), &query, json!({ "id": self.course.id })).await;
        let list = &data["course"]["reviews"];
        let nodes = list["nodes"].as_array().unwrap();
        assert_eq!(list["totalCount"], nodes.len(), "{list:#}");
        nodes.iter().map(|node| node["body"].as_str().unwrap().to_owned()).collect()
    }

    /// A student who has the course.
    async fn student(&self, name: &str) -> User {
        let user = self.app.user(name, Role::Student).await;
        self.app.mutate(&user, "enroll", "entitlement { id }", json!({ "courseId": self.course.id })).await;
        user
    }
}
