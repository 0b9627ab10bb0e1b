//! What is made of an uploaded picture, and where it is shown.

use chrono::TimeDelta;
use image::ImageFormat;
use lyceum::media::reconcile;
use lyceum::platform::auth::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{OTHER_PNG, PDF, PNG, Studio, on_both_stores, uuid};
use crate::support::User;
use crate::support::picture::{bomb, jpeg_size, picture};

on_both_stores!(
    a_picture_is_served_in_the_next_larger_width,
    what_cannot_be_decoded_fails_its_upload,
    a_picture_that_fails_later_is_not_shown,
    renditions_go_with_their_file,
    a_file_that_is_deleted_while_it_is_processed_leaves_nothing,
    categories_and_channels_have_images,
    only_ones_own_picture_is_shown_in_ones_own_channel,
    images_of_many_cost_no_more_statements_than_one,
    pictures_from_before_are_processed,
);

const IMAGE: &str = "image { url altText width height thumbHash small: url(width: 200) tiny: url(width: 1) \
    huge: url(width: 9000) } failure";

impl Studio {
    /// The image of a file, as its owner sees it.
    async fn image(&self, file: &str) -> Value {
        let query = format!("query ($id: ID!) {{ node(id: $id) {{ ... on MediaFile {{ {IMAGE} }} }} }}");
        self.app.data(Some(&self.ada.token), &query, json!({ "id": file })).await["node"].take()
    }

    /// Ada uploads a picture, and no job has run yet.
    async fn fresh(&self, content_type: &str, content: &[u8]) -> Value {
        let input = json!({ "purpose": "IMAGE", "filename": "a.bin", "contentType": content_type,
            "sizeBytes": content.len() });
        let upload = self.begin_with(&self.ada, input).await;
        assert_eq!(self.put(&upload, content.to_vec()).await.status(), StatusCode::OK);
        self.complete(&self.ada, &upload).await
    }

    async fn renditions(&self, file: &str) -> Vec<String> {
        let keys = self.keys(&format!("files/{}/w", uuid(file).simple())).await;
        keys.iter().map(|key| key.rsplit_once('/').unwrap().1.to_owned()).collect()
    }
}

fn file_of(payload: &Value) -> String {
    payload["upload"]["file"]["id"].as_str().unwrap_or_else(|| panic!("{payload:#}")).to_owned()
}

async fn a_picture_is_served_in_the_next_larger_width(studio: Studio) {
    for (content_type, format) in
        [("image/jpeg", ImageFormat::Jpeg), ("image/png", ImageFormat::Png), ("image/webp", ImageFormat::WebP)]
    {
        let content = picture(700, 350, format);
        let file = file_of(&studio.fresh(content_type, &content).await);
        let image = studio.image(&file).await["image"].take();
        assert_eq!((&image["width"], &image["height"]), (&json!(700), &json!(350)), "at once: {image:#}");
        assert_eq!((&image["altText"], &image["thumbHash"]), (&json!("a.bin"), &Value::Null));
        let original = crate::support::http::get(image["small"].as_str().unwrap()).await.unwrap();
        assert_eq!(original.headers()["content-type"], content_type);
        assert_eq!(original.bytes().await.unwrap(), content, "the original, until there are others");

        studio.app.settle().await;
        let image = studio.image(&file).await["image"].take();
        assert_eq!((&image["width"], &image["height"]), (&json!(700), &json!(350)));
        assert!(image["thumbHash"].is_string());
        for (field, width) in [("url", 700), ("small", 320), ("tiny", 160), ("huge", 700)] {
            let url = image[field].as_str().unwrap();
            assert!(url.contains(&format!("/w{width}.jpg?")), "{url}");
            let got = crate::support::http::get(url).await.unwrap();
            assert_eq!(got.headers()["content-type"], "image/jpeg");
            assert_eq!(got.headers()["cache-control"], "public, max-age=31536000, immutable");
            assert_eq!(jpeg_size(&got.bytes().await.unwrap()), (width, width / 2));
        }
        // Again, as after a node died: nothing changes.
        let event = json!({ "file_id": uuid(&file) });
        let again = async |tx: &mut lyceum::platform::db::Tx| {
            let clock = &studio.app.app.clock;
            lyceum::platform::jobs::enqueue(tx, clock, "media.process_image", &event, &file).await
        };
        studio.app.app.db.transaction(again).await.unwrap();
        studio.app.settle().await;
        assert_eq!(studio.image(&file).await["image"], image);
        assert_eq!(studio.sql("SELECT count(*) FROM jobs").await, "0");
    }
    let file = studio.uploaded(&studio.ada, "IMAGE", "image/png", PNG).await;
    let query = "query ($id: ID!) { node(id: $id) { ... on MediaFile { image { url(width: 0) } } } }";
    let refused = studio.app.send(Some(&studio.ada.token), query, json!({ "id": file })).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{refused:#}");
    let pdf = studio.uploaded(&studio.ada, "FILE", "application/pdf", PDF).await;
    let png = studio.uploaded(&studio.ada, "FILE", "image/png", PNG).await;
    for file in [pdf, png] {
        assert_eq!(studio.image(&file).await, json!({ "image": null, "failure": null }), "a download");
        assert_eq!(studio.renditions(&file).await, [""; 0]);
    }
}

async fn what_cannot_be_decoded_fails_its_upload(studio: Studio) {
    let png = picture(300, 200, ImageFormat::Png);
    for (content_type, content, why) in [
        ("image/png", bomb(), "The picture has 30000 × 30000 pixels; at most 16384 per side are allowed."),
        ("image/png", png[..30].to_vec(), "The picture cannot be decoded: the file is damaged."),
        ("image/png", b"Just a text.".to_vec(), "The file is not a JPEG, PNG or WebP picture."),
    ] {
        let payload = studio.fresh(content_type, &content).await;
        assert_eq!(payload["userErrors"][0]["message"], why, "{payload:#}");
        assert_eq!(payload["userErrors"][0]["code"], "INVALID");
        studio.app.settle().await;
        assert_eq!(studio.keys("").await, [""; 0], "{why}");
    }
    assert_eq!(studio.sql("SELECT string_agg(status, ' ') FROM uploads").await, "FAILED FAILED FAILED");
    assert_eq!(studio.sql("SELECT count(*) FROM events WHERE kind = 'image_uploaded'").await, "0");
}

async fn a_picture_that_fails_later_is_not_shown(studio: Studio) {
    // Its header is right, and its pixels are not.
    let png = picture(300, 200, ImageFormat::Png);
    let file = file_of(&studio.fresh("image/png", &png[..png.len() - 20]).await);
    let course = studio.app.course(&studio.ada, "Engines", 1).await;
    let input = json!({ "courseId": course.id, "fileId": file });
    studio.app.edit(&studio.ada, "setCourseThumbnail", "course { id }", input).await;
    let query = "query ($slug: String!) { course(slug: $slug) { thumbnail { url } } }";
    let seen =
        async || studio.app.data(None, query, json!({ "slug": course.slug })).await["course"]["thumbnail"].take();
    assert!(seen().await["url"].as_str().unwrap().contains("/original-"));
    studio.app.settle().await;
    assert_eq!(seen().await, Value::Null, "also where it was cached");
    let expected = json!({ "image": null, "failure": "The picture cannot be decoded: the file is damaged." });
    assert_eq!(studio.image(&file).await, expected);
    assert_eq!(studio.renditions(&file).await, [""; 0]);
    assert_eq!(studio.sql("SELECT count(*) FROM jobs").await, "0", "it is not tried again");
}

async fn renditions_go_with_their_file(mut studio: Studio) {
    let large = picture(1300, 10, ImageFormat::Png);
    let file = studio.uploaded(&studio.ada, "IMAGE", "image/png", &large).await;
    let mut made = studio.renditions(&file).await;
    made.sort();
    assert_eq!(made, ["w1280.jpg", "w1300.jpg", "w160.jpg", "w320.jpg", "w640.jpg"]);
    studio.later(TimeDelta::hours(3)).await;
    let report = reconcile(&studio.app.app, TimeDelta::hours(1), true).await.unwrap();
    assert_eq!((report.objects, report.orphan_count, report.missing_count), (6, 0, 0), "{report:?}");
    assert_eq!(studio.renditions(&file).await.len(), 5);
    studio.later(TimeDelta::days(7)).await;
    studio.app.run("media.delete_unused_files").await;
    assert_eq!(studio.keys("").await, [""; 0]);
    assert_eq!(studio.image(&file).await, Value::Null);
}

async fn a_file_that_is_deleted_while_it_is_processed_leaves_nothing(studio: Studio) {
    for _ in 0..4 {
        let file = file_of(&studio.fresh("image/png", &picture(900, 600, ImageFormat::Png)).await);
        studio.sql("UPDATE media_files SET unused_since = created_at - interval '8 days'").await;
        let event = json!({ "file_id": uuid(&file) });
        let (clock, key) = (&studio.app.app.clock, format!("again/{file}"));
        let process = async |tx: &mut lyceum::platform::db::Tx| {
            lyceum::platform::jobs::enqueue(tx, clock, "media.process_image", &event, &key).await
        };
        studio.app.app.db.transaction(process).await.unwrap();
        tokio::join!(studio.app.settle(), studio.app.run("media.delete_unused_files"));
        studio.app.app.clock.advance(TimeDelta::minutes(1));
        studio.app.settle().await;
        assert_eq!(studio.keys("").await, [""; 0]);
        assert_eq!(studio.sql("SELECT count(*) FROM media_files").await, "0");
    }
}

async fn categories_and_channels_have_images(studio: Studio) {
    let app = &studio.app;
    let root = app.user("Root", Role::Admin).await;
    app.settle().await;
    let made = app.mutate(&root, "createCategory", "category { id }", json!({ "name": "Engines" })).await;
    let category = made["category"]["id"].as_str().unwrap().to_owned();
    let made = app.mutate(&studio.ada, "createChannel", "channel { id }", json!({ "name": "Ada teaches" })).await;
    let channel = made["channel"]["id"].as_str().unwrap().to_owned();
    let one = studio.uploaded(&studio.ada, "IMAGE", "image/png", PNG).await;
    let two = studio.uploaded(&studio.ada, "IMAGE", "image/png", OTHER_PNG).await;
    let is_used = async |file: &str| studio.file(file).await["deletionDueAt"].is_null();
    for (user, mutation, kind, key, id, name) in [
        (&root, "setCategoryImage", "category", "categoryId", &category, "Engines"),
        (&studio.ada, "setChannelImage", "channel", "channelId", &channel, "Ada teaches"),
    ] {
        let selection = format!("{kind} {{ version image {{ url altText }} }}");
        let query = "query ($id: ID!) { node(id: $id) { ... on Category { image { url altText } }
            ... on Channel { image { url altText } } } }";
        let seen = async || app.data(None, query, json!({ "id": id })).await["node"]["image"].take();
        assert_eq!(seen().await, Value::Null);
        for (file, other) in [(&one, &two), (&two, &one)] {
            let input = app.current(user, json!({ key: id, "fileId": file })).await;
            let payload = app.mutate(user, mutation, &selection, input.clone()).await;
            let image = &payload[kind]["image"];
            assert_eq!(image["altText"], name);
            assert!(image["url"].as_str().unwrap().contains(&uuid(file).simple().to_string()), "{payload:#}");
            assert_eq!(&seen().await, image, "everybody sees it at once");
            assert_eq!((is_used(file).await, is_used(other).await), (true, false));
            // A stale version changes nothing; the same file again neither.
            let stale = studio.call(user, mutation, &selection, input).await;
            assert_eq!(stale["userErrors"][0]["code"], "CONFLICT", "{stale:#}");
            assert_eq!(stale[kind]["version"], payload[kind]["version"]);
            let again = app.edit(user, mutation, &selection, json!({ key: id, "fileId": file })).await;
            assert_eq!(again[kind]["version"], payload[kind]["version"]);
        }
        let payload = app.edit(user, mutation, &selection, json!({ key: id, "fileId": null })).await;
        assert_eq!((&payload[kind]["image"], seen().await), (&Value::Null, Value::Null));
        assert!(!is_used(&two).await);
    }
    // A category that is deleted lets its image go; a user who is deleted loses the one of their own channel.
    app.edit(&root, "setCategoryImage", "category { id }", json!({ "categoryId": category, "fileId": one })).await;
    assert!(is_used(&one).await);
    app.mutate(&root, "deleteCategory", "deletedCategoryId", json!({ "categoryId": category })).await;
    assert!(!is_used(&one).await);
    app.course(&studio.ada, "Looms", 0).await;
    let own = studio.sql("SELECT id FROM channels WHERE is_default AND name = 'Ada'").await;
    let own = lyceum::channels::ChannelId::new(own.parse().unwrap()).encode();
    for (id, file) in [(&own, &one), (&channel, &two)] {
        app.edit(&studio.ada, "setChannelImage", "channel { id }", json!({ "channelId": id, "fileId": file })).await;
    }
    studio.sql("UPDATE users SET deletion_due_at = now() - interval '1 day' WHERE name = 'Ada'").await;
    app.run("accounts.delete_due").await;
    app.settle().await;
    app.run("media.delete_unused_files").await;
    let left = "SELECT string_agg(is_default || ' ' || (image_id IS NOT NULL), ', ' ORDER BY is_default) FROM channels
        WHERE owner_id IN (SELECT id FROM users WHERE deleted_at IS NOT NULL)";
    assert_eq!(studio.sql(left).await, "false true, true false");
    assert_eq!(studio.sql("SELECT id FROM media_files").await, uuid(&two).to_string());
}

async fn only_ones_own_picture_is_shown_in_ones_own_channel(studio: Studio) {
    let app = &studio.app;
    let (eve, root) = (app.user("Eve", Role::Instructor).await, app.user("Root", Role::Admin).await);
    let sam = app.user("Sam", Role::Student).await;
    let made = app.mutate(&studio.ada, "createChannel", "channel { id }", json!({ "name": "Engines" })).await;
    let channel = made["channel"]["id"].as_str().unwrap().to_owned();
    let made = app.mutate(&root, "createCategory", "category { id }", json!({ "name": "Engines" })).await;
    let category = made["category"]["id"].as_str().unwrap().to_owned();
    let adas = studio.uploaded(&studio.ada, "IMAGE", "image/png", PNG).await;
    let eves = studio.uploaded(&eve, "IMAGE", "image/png", PNG).await;
    let pdf = studio.uploaded(&studio.ada, "FILE", "application/pdf", PDF).await;
    let nothing = lyceum::media::FileId::new(uuid::Uuid::nil()).encode();
    let set = async |mutation: &str, key: &str, user: &User, id: &str, file: &str| {
        let input = app.current(&root, json!({ key: id, "fileId": file })).await;
        let input_type = format!("S{}Input", &mutation[1..]);
        let query = format!(
            "mutation ($input: {input_type}!) {{ {mutation}(input: $input) {{ userErrors {{ code field }} }} }}"
        );
        let answer = app.send(Some(&user.token), &query, json!({ "input": input })).await;
        let code = answer["errors"][0]["extensions"]["code"].as_str();
        let code = code.or(answer["data"][mutation]["userErrors"][0]["code"].as_str());
        code.unwrap_or_default().to_owned()
    };
    for (who, user, file, expected) in [
        ("Ada, hers", &studio.ada, &adas, ""),
        ("Ada, Eve's", &studio.ada, &eves, "NOT_FOUND"),
        ("Ada, none such", &studio.ada, &nothing, "NOT_FOUND"),
        ("Ada, a document", &studio.ada, &pdf, "NOT_ALLOWED"),
        ("Eve, hers", &eve, &eves, "FORBIDDEN"),
        ("Sam, Ada's", &sam, &adas, "FORBIDDEN"),
        ("Root, Eve's", &root, &eves, ""),
        ("Root, Ada's", &root, &adas, ""),
    ] {
        assert_eq!(set("setChannelImage", "channelId", user, &channel, file).await, expected, "{who}");
    }
    for (who, user, file, expected) in [
        ("Ada, hers", &studio.ada, &adas, "FORBIDDEN"),
        ("Sam, Ada's", &sam, &adas, "FORBIDDEN"),
        ("Root, none such", &root, &nothing, "NOT_FOUND"),
        ("Root, a document", &root, &pdf, "NOT_ALLOWED"),
        ("Root, Eve's", &root, &eves, ""),
    ] {
        assert_eq!(set("setCategoryImage", "categoryId", user, &category, file).await, expected, "{who}");
    }
    let gone = lyceum::channels::ChannelId::new(uuid::Uuid::nil()).encode();
    let input = json!({ "channelId": gone, "version": 1, "fileId": adas });
    let payload = studio.call(&studio.ada, "setChannelImage", "channel { id }", input).await;
    assert_eq!(payload["userErrors"][0]["code"], "NOT_FOUND", "{payload:#}");
}

async fn images_of_many_cost_no_more_statements_than_one(studio: Studio) {
    let app = &studio.app;
    let root = app.user("Root", Role::Admin).await;
    app.settle().await;
    let sam = app.user("Sam", Role::Student).await;
    let files = [
        studio.uploaded(&root, "IMAGE", "image/png", PNG).await,
        studio.uploaded(&root, "IMAGE", "image/png", PNG).await,
    ];
    for number in 0..10 {
        let file = &files[number % 2];
        let input = json!({ "name": format!("Subject {number}"), "description": "What it is about." });
        let made = app.mutate(&root, "createCategory", "category { id }", input).await;
        let input = json!({ "categoryId": made["category"]["id"], "fileId": file });
        app.edit(&root, "setCategoryImage", "category { id }", input).await;
        let made = app.mutate(&root, "createChannel", "channel { id }", json!({ "name": format!("C {number}") })).await;
        let id = &made["channel"]["id"];
        app.edit(&root, "setChannelImage", "channel { id }", json!({ "channelId": id, "fileId": file })).await;
        app.mutate(&sam, "followChannel", "channel { id }", json!({ "channelId": id })).await;
    }
    let categories = "query ($first: Int) { categories(first: $first) { nodes { description image { url } } } }";
    let channels = "query ($first: Int) { viewer { followedChannels(first: $first) { nodes { image { url } } } } }";
    for (query, token, path) in [
        (categories, None, "/categories/nodes"),
        (channels, Some(sam.token.as_str()), "/viewer/followedChannels/nodes"),
    ] {
        let one = app.statements(token, query, json!({ "first": 1 })).await;
        assert_eq!(app.statements(token, query, json!({ "first": 10 })).await, one, "{path}");
        let all = app.data(token, query, json!({ "first": 10 })).await;
        let nodes = all.pointer(path).unwrap().as_array().unwrap();
        assert!(nodes.len() == 10 && nodes.iter().all(|node| node["image"]["url"].is_string()), "{nodes:#?}");
    }
}

async fn pictures_from_before_are_processed(studio: Studio) {
    let (one, two) = (
        studio.uploaded(&studio.ada, "IMAGE", "image/png", PNG).await,
        studio.uploaded(&studio.ada, "IMAGE", "image/png", OTHER_PNG).await,
    );
    studio.sql("UPDATE media_files SET picture = NULL").await;
    let key = studio.sql(&format!("SELECT object_key FROM media_files WHERE id = '{}'", uuid(&two))).await;
    studio.storage.put(&key, "image/png", "no picture".into()).await.unwrap();
    studio.app.forget_rows();
    assert_eq!(studio.image(&one).await["image"], Value::Null);
    studio.app.run("media.process_old_images").await;
    assert!(studio.image(&one).await["image"]["thumbHash"].is_string());
    let failed = json!({ "image": null, "failure": "The file is not a JPEG, PNG or WebP picture." });
    assert_eq!(studio.image(&two).await, failed);
    assert_eq!(studio.sql("SELECT count(*) FROM media_files WHERE picture IS NULL AND failure IS NULL").await, "0");
}
