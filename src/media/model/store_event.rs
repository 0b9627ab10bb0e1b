//! The webhook events of object stores.

use serde_json::Value;

/// Returns the records of created objects in an event, each with the key of its object.
///
/// Supports S3's format, the same wrapped by SNS (as a string in `Message`), and MinIO's, which adds fields to S3's.
///
/// Sources: the S3 user guide, "Event message structure"; the SNS developer guide, "HTTP/HTTPS notification JSON
/// format"; MinIO's documentation of bucket notifications.
pub(crate) fn created(event: &Value) -> Vec<(String, Value)> {
    if let Some(text) = event.get("Message").and_then(Value::as_str) {
        return serde_json::from_str(text).map(|inner: Value| created_in(&inner)).unwrap_or_default();
    }
    created_in(event)
}

fn created_in(event: &Value) -> Vec<(String, Value)> {
    let records = event.get("Records").and_then(Value::as_array);
    let created = records.into_iter().flatten().filter_map(|record| {
        let name = record.get("eventName")?.as_str()?;
        // MinIO writes `s3:ObjectCreated:Put`.
        let is_new = name.trim_start_matches("s3:").starts_with("ObjectCreated:");
        let key = record.pointer("/s3/object/key")?.as_str().filter(|_| is_new)?;
        Some((decoded(key)?, record.clone()))
    });
    created.collect()
}

/// Decodes a key from an event.
///
/// A space is encoded as a plus; other characters are percent-encoded.
fn decoded(key: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(key.len()), key.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                // `from_str_radix` would also accept a sign.
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                u8::from_str_radix(str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn keys(event: &Value) -> Vec<String> {
        created(event).into_iter().map(|(key, _)| key).collect()
    }

    fn record(name: &str, key: &str) -> Value {
        json!({ "eventName": name, "s3": { "bucket": { "name": "b" }, "object": { "key": key, "size": 1 } } })
    }

    #[test]
    fn the_forms_of_aws_minio_and_sns() {
        let aws = json!({ "Records": [record("ObjectCreated:Put", "a/b"), record("ObjectRemoved:Delete", "c")] });
        assert_eq!(keys(&aws), ["a/b"]);
        assert_eq!(keys(&json!({ "Type": "Notification", "Message": aws.to_string() })), ["a/b"]);
        let minio = json!({ "EventName": "s3:ObjectCreated:CompleteMultipartUpload", "Key": "b/a/b",
            "Records": [record("s3:ObjectCreated:CompleteMultipartUpload", "a%2Fb")] });
        assert_eq!(keys(&minio), ["a/b"]);
        let test = json!({ "Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b" });
        for nothing in [test, json!(null), json!([]), json!({ "Records": [1, {}] }), json!({ "Message": "hello" })] {
            assert_eq!(keys(&nothing), [""; 0], "{nothing}");
        }
    }

    #[test]
    fn keys_are_encoded_as_in_a_form() {
        let key = |text: &str| keys(&json!({ "Records": [record("ObjectCreated:Put", text)] })).pop();
        assert_eq!(key("my+video%2B%C3%BC.mp4").as_deref(), Some("my video+ü.mp4"));
        for broken in ["100%", "%4", "%zz", "%ff", "%+1", "%-1"] {
            assert_eq!(key(broken), None, "{broken}");
        }
    }
}
