//! The schema keeps the promises of the README: for everything that is in it, now and later.

use std::collections::BTreeMap;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, ConstDirective, EnumType, FieldDefinition, InputObjectType, InputValueDefinition, ServiceDocument, Type,
    TypeDefinition, TypeKind, TypeSystemDefinition,
};
use async_graphql::{Positioned, Request, Value};
use futures_util::StreamExt;
use lyceum::graphql::Executor;
use lyceum::graphql::executor::RequestInfo;
use lyceum::graphql::fan_out::Payload;
use lyceum::graphql::schema;
use lyceum::platform::auth::{Actor, Role, Scope, Scopes};
use uuid::Uuid;

use crate::support::TestApp;
use crate::support::app::start;

/// Lists that are not connections: parts of connections, and lists that are short by nature or as short as their input.
const PLAIN_LISTS: [&str; 71] = [
    "Query.paymentProviders",
    "ApiToken.scopes",
    // As long as the list in the entry: the scopes of a token, the sessions of a user.
    "AuditApiTokenDetails.scopes",
    "AuditSessionDetails.sessionIds",
    // One for each id of the input, of which there are at most 100.
    "BulkArchiveCoursesPayload.results",
    "BulkBanUsersPayload.results",
    "BulkChangeUserRolePayload.results",
    "BulkGrantCourseAccessPayload.results",
    "BulkPublishCoursesPayload.results",
    "BulkRevokeCourseAccessPayload.results",
    "BulkUnbanUsersPayload.results",
    "Category.ancestors",
    "Course.benefits",
    "Course.prerequisites",
    "Course.prices",
    // Five.
    "Course.ratingHistogram",
    "Course.tags",
    "CourseConnection.facets",
    "CourseSearchResultConnection.facets",
    "CourseSearchResult.snippet",
    "CourseSearchResult.titleHighlight",
    // One amount for each currency.
    "EarningsStatement.gross",
    "EarningsStatement.paidOut",
    "EarningsStatement.share",
    "Facet.values",
    "LessonContent.links",
    "LessonContent.resources",
    "LessonContent.chapters",
    // As long as the list of ids in the input, of which there are at most 100.
    // At most 200: those of a series. At most 500: those of the input. At most 36: the months of the argument.
    "CancelLiveSessionPayload.liveSessions",
    "CreateLiveSessionPayload.liveSessions",
    "UpdateLiveSessionPayload.liveSessions",
    "RecordAttendancePayload.attendances",
    "Viewer.subscriptionUsageHistory",
    // At most ten, and as many invitations.
    "Family.invitations",
    "Family.members",
    // Ten; one for each number of hours; twelve.
    "SubscriptionStatistics.topUsers",
    "SubscriptionStatistics.membersByPlan",
    "SubscriptionStatistics.distribution",
    "SubscriptionStatistics.trend",
    "MarkNotificationsPayload.notifications",
    // At most 500.
    "NotificationSettings.muted",
    // One for each kind.
    "NotificationSettings.preferences",
    // At most 100 each.
    "Coupon.categories",
    "Coupon.courses",
    "Coupon.plans",
    "Membership.nextStatuses",
    "Order.nextStatuses",
    // At most one price for an interval and a currency, and those that they have replaced.
    "Plan.gateways",
    "Plan.prices",
    // At most 20 items, and as many refunds and disputes as an administrator and a bank make.
    "Order.disputes",
    "Order.items",
    "Order.refunds",
    "OrderQuote.items",
    "Refund.items",
    "Post.viewerActions",
    "Question.viewerActions",
    "Reply.viewerActions",
    "Review.viewerActions",
    "Query.nodes",
    "Query.searchSuggestions",
    "Upload.headers",
    "Upload.parts",
    // One for each course of the input, which has at most 100 entries.
    "SaveProgressPayload.enrollments",
    "UploadPartUrlsPayload.partUrls",
    "UserError.field",
    "ConfirmSecondFactorPayload.recoveryCodes",
    "RenewRecoveryCodesPayload.recoveryCodes",
    "Video.captions",
    "Video.usedBy",
    // At most twenty.
    "SubscriptionUsage.upgradeOptions",
    "VideoPlayback.captions",
];
const BUILT_IN: [&str; 5] = ["Int", "Float", "String", "Boolean", "ID"];

fn sdl() -> String {
    schema::print(&schema::builder().finish())
}

struct Sdl(BTreeMap<String, TypeDefinition>);

impl Sdl {
    fn read() -> Sdl {
        let ServiceDocument { definitions } = parse_schema(sdl()).unwrap();
        let types = definitions.into_iter().filter_map(|definition| match definition {
            TypeSystemDefinition::Type(ty) => Some((ty.node.name.node.to_string(), ty.node)),
            _ => None,
        });
        Sdl(types.collect())
    }

    /// The fields of an object or an interface; none for other types.
    fn fields(&self, ty: &str) -> &[Positioned<FieldDefinition>] {
        match self.0.get(ty).map(|ty| &ty.kind) {
            Some(TypeKind::Object(object)) => &object.fields,
            Some(TypeKind::Interface(interface)) => &interface.fields,
            _ => &[],
        }
    }

    /// Every field of every object and interface, with the type that has it.
    fn all_fields(&self) -> impl Iterator<Item = (&str, &FieldDefinition)> {
        self.0.keys().flat_map(|ty| self.fields(ty).iter().map(move |field| (ty.as_str(), &field.node)))
    }

    fn root_fields(&self) -> Vec<(&'static str, &FieldDefinition)> {
        let roots = ["Query", "Viewer", "Mutation", "Subscription"];
        let fields = roots.map(|root| self.fields(root).iter().map(move |field| (root, &field.node)));
        fields.into_iter().flatten().collect()
    }

    /// The smallest operation that selects a root field.
    fn call(&self, root: &str, field: &FieldDefinition) -> String {
        let required = |argument: &&Positioned<InputValueDefinition>| {
            !argument.node.ty.node.nullable && argument.node.default_value.is_none()
        };
        let arguments: Vec<String> = field
            .arguments
            .iter()
            .filter(required)
            .map(|argument| match (argument.node.name.node.as_str(), field.name.node.as_str()) {
                // `upload(id:)` takes the id of an upload.
                ("id", one) if one != "node" => format!("id: \"{}_01h455vb4pex5vsknk084sn02q\"", snake(one)),
                (name, _) => format!("{name}: {}", self.dummy(&argument.node)),
            })
            .collect();
        let arguments = if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
        let returned = named(&field.ty.node);
        let is_union = matches!(self.0.get(returned).map(|ty| &ty.kind), Some(TypeKind::Union(_)));
        let composite = is_union || !self.fields(returned).is_empty();
        let selection = if composite { " { __typename }" } else { "" };
        let call = format!("{}{arguments}{selection}", field.name.node);
        match root {
            "Viewer" => format!("query {{ viewer {{ {call} }} }}"),
            root => format!("{} {{ {call} }}", root.to_lowercase()),
        }
    }

    /// Whether exactly one field of the input object is expected.
    fn is_one_of(&self, ty: &str) -> bool {
        let found = self.0.get(ty).map(|ty| &ty.directives);
        found.is_some_and(|directives| directives.iter().any(|directive| directive.node.name.node == "oneOf"))
    }

    /// A literal that the type of `value` accepts.
    fn dummy(&self, value: &InputValueDefinition) -> String {
        let name = value.name.node.as_str();
        match &value.ty.node.base {
            BaseType::List(_) => "[]".to_owned(),
            BaseType::Named(ty) if self.is_one_of(ty) => {
                let Some(TypeKind::InputObject(input)) = self.0.get(ty.as_str()).map(|ty| &ty.kind) else { panic!() };
                let mut one = input.fields.last().unwrap().node.clone();
                one.ty.node.nullable = false;
                format!("{{ {}: {} }}", one.name.node, self.dummy(&one))
            }
            BaseType::Named(ty) => match (ty.as_str(), self.0.get(ty.as_str()).map(|ty| &ty.kind)) {
                (_, Some(TypeKind::Enum(EnumType { values }))) => values[0].node.value.node.to_string(),
                (_, Some(TypeKind::InputObject(InputObjectType { fields }))) => {
                    let required = fields
                        .iter()
                        .filter(|field| !field.node.ty.node.nullable && field.node.default_value.is_none())
                        .map(|field| format!("{}: {}", field.node.name.node, self.dummy(&field.node)));
                    format!("{{ {} }}", required.collect::<Vec<_>>().join(", "))
                }
                ("Int" | "ByteSize", _) => "1".to_owned(),
                ("Float", _) => "1.5".to_owned(),
                ("Boolean", _) => "true".to_owned(),
                // `courseId` is the id of a course.
                ("ID", _) => {
                    let entity = match name.strip_suffix("Id") {
                        None | Some("instructor" | "owner") => "user",
                        Some("post" | "parent") => "question",
                        Some(entity) => entity,
                    };
                    format!("\"{}_01h455vb4pex5vsknk084sn02q\"", snake(entity))
                }
                ("YearMonth", _) => "\"2026-10\"".to_owned(),
                ("DateTime", _) => "\"2026-11-20T09:00:00Z\"".to_owned(),
                ("CurrencyCode", _) => "\"EUR\"".to_owned(),
                ("Decimal", _) => "\"1.00\"".to_owned(),
                _ => "\"x\"".to_owned(),
            },
        }
    }
}

fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(item) => named(item),
    }
}

fn snake(name: &str) -> String {
    name.chars()
        .flat_map(|letter| letter.is_uppercase().then_some('_').into_iter().chain(letter.to_lowercase()))
        .collect()
}

fn pascal(name: &str) -> String {
    format!("{}{}", name[..1].to_uppercase(), &name[1..])
}

/// What `@auth` says.
#[derive(Clone, Copy)]
struct Rule {
    role: Role,
    /// `None`: only a session may.
    scope: Option<Scope>,
}

/// What `@auth` says; `None` for `@public`. Panics unless there is exactly one of the two.
fn rule(root: &str, field: &FieldDefinition) -> Option<Rule> {
    let rules: Vec<&ConstDirective> = field
        .directives
        .iter()
        .map(|directive| &directive.node)
        .filter(|directive| ["public", "auth"].contains(&directive.name.node.as_str()))
        .collect();
    assert_eq!(rules.len(), 1, "{root}.{} needs exactly one of @public and @auth", field.name.node);
    if rules[0].name.node == "public" {
        return None;
    }
    let argument = |wanted: &str| -> Option<String> {
        let (_, value) = rules[0].arguments.iter().find(|(name, _)| name.node == wanted)?;
        let Value::Enum(value) = &value.node else { panic!("{root}.{}: {value:?}", field.name.node) };
        Some(value.to_string())
    };
    let role = argument("role").unwrap().parse().unwrap();
    Some(Rule { role, scope: argument("scope").map(|scope| scope.parse().unwrap()) })
}

#[test]
fn schema_graphql_is_what_the_program_prints() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql");
    let file = std::fs::read_to_string(path).unwrap();
    let printed = sdl();
    let different = file.lines().zip(printed.lines()).position(|(old, new)| old != new);
    let line = different.unwrap_or_else(|| file.lines().count().min(printed.lines().count())) + 1;
    assert!(file == printed, "schema.graphql differs from the program from line {line} on: run `make schema`");
}

#[test]
fn every_root_field_says_who_may_select_it() {
    let sdl = Sdl::read();
    let fields = sdl.root_fields();
    for root in ["Query", "Viewer", "Mutation", "Subscription"] {
        assert!(fields.iter().any(|(own, _)| *own == root), "{root} has no fields");
    }
    for (root, field) in fields {
        rule(root, field);
    }
}

/// Somebody with `role`: in a session, or with an API token that has these scopes.
fn somebody(role: Role, scopes: Option<&[Scope]>) -> Actor {
    Actor::User {
        id: Uuid::new_v4(),
        role,
        session: Uuid::new_v4(),
        version: 0,
        expires_at: start() + chrono::TimeDelta::hours(1),
        scopes: scopes.map(|scopes| Scopes::from_iter(scopes.iter().copied())),
    }
}

/// The code and the message of the first error of the first response; empty if there is none.
async fn refusal(executor: &Executor, query: &str, actor: Actor) -> (String, String) {
    let caller = RequestInfo { actor, client: Default::default(), request_id: "0123456789abcdef".into() };
    let mut responses = executor.stream(Request::new(query), caller);
    // A subscription that is allowed delivers nothing until something happens.
    let first = tokio::time::timeout(std::time::Duration::from_secs(1), responses.next()).await;
    let Ok(Some(Payload::Own(response))) = first else { return Default::default() };
    let Some(error) = response.errors.first() else { return Default::default() };
    let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code").cloned());
    let Some(Value::String(code)) = code else { panic!("{query}: {error:?}") };
    (code, error.message.clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_schema_says_about_who_may_select_a_field_is_true() {
    let app = TestApp::start().await;
    let executor = Executor::new(app.app.clone()).unwrap();
    let sdl = Sdl::read();
    let ladder = [Role::Student, Role::Instructor, Role::Admin];
    let mut guarded = 0;
    for (root, field) in sdl.root_fields() {
        let query = sdl.call(root, field);
        let anonymous = refusal(&executor, &query, Actor::Anonymous).await;
        assert!(!anonymous.0.starts_with("GRAPHQL_"), "{query}: the test's own query is wrong: {anonymous:?}");
        let Some(Rule { role: needed, .. }) = rule(root, field) else {
            assert_ne!(anonymous.0, "UNAUTHENTICATED", "{query} is @public: {anonymous:?}");
            continue;
        };
        guarded += 1;
        // For nobody, there is no viewer to ask for anything.
        let expected = if root == "Viewer" { "" } else { "UNAUTHENTICATED" };
        assert_eq!(anonymous.0, expected, "{query} by nobody: {anonymous:?}");
        for role in ladder {
            let (code, message) = refusal(&executor, &query, somebody(role, None)).await;
            let told = message.contains(&format!("This needs the role {needed}; yours is {role}."));
            assert_eq!((code == "FORBIDDEN" && told), role < needed, "{query} by {role}: {code} {message}");
        }
    }
    assert!(guarded >= 9, "the directives are found at all");
}

/// The guarded fields that each scope opens; what it opens of public fields is `accounts::scopes`' business. Nothing
/// opens the rest to an API token.
const OPENED: [(Scope, &[&str]); 11] = [
    (Scope::ReadAccount, &[]),
    (Scope::ReadCourses, &["courses", "files", "video", "videoProgress", "videos"]),
    (
        Scope::WriteCourses,
        &[
            "archiveCourse",
            "bulkArchiveCourses",
            "bulkPublishCourses",
            "cancelUpload",
            "completeUpload",
            "courses",
            "createCourse",
            "createLesson",
            "createSection",
            "createUpload",
            "deleteCourse",
            "deleteFile",
            "deleteLesson",
            "deleteSection",
            "deleteVideo",
            "files",
            "publishCourse",
            "publishLesson",
            "removeVideoCaptions",
            "reorderCourse",
            "scheduleCourse",
            "scheduleLesson",
            "setCourseDemoVideo",
            "setCourseThumbnail",
            "setLessonUnlock",
            "setLessonVideo",
            "setVideoCaptions",
            "unarchiveCourse",
            "unpublishCourse",
            "unpublishLesson",
            "updateCourse",
            "updateLesson",
            "updateSection",
            "upload",
            "uploadPartUrls",
            "uploadProgress",
            "uploads",
            "video",
            "videoProgress",
            "videos",
        ],
    ),
    (
        Scope::ReadLearning,
        &[
            "certificates",
            "checkAttendance",
            "enrollments",
            "liveSessions",
            "subscriptionStatistics",
            "subscriptionUsage",
            "subscriptionUsageChanged",
            "subscriptionUsageHistory",
        ],
    ),
    (
        Scope::WriteLearning,
        &[
            "certificates",
            "checkAttendance",
            "enroll",
            "enrollments",
            "liveSessions",
            "saveProgress",
            "setCertificateVisibility",
            "setLessonCompleted",
            "subscriptionStatistics",
            "subscriptionUsage",
            "subscriptionUsageChanged",
            "subscriptionUsageHistory",
        ],
    ),
    (Scope::ReadUsers, &["users"]),
    (Scope::ReadDiscussions, &["questionActivity", "reports"]),
    (
        Scope::WriteDiscussions,
        &[
            "acceptReply",
            "createQuestion",
            "createReply",
            "createReview",
            "deletePost",
            "followQuestion",
            "moderatePost",
            "questionActivity",
            "reportPost",
            "reports",
            "setQuestionResolved",
            "updateQuestion",
            "updateReply",
            "updateReview",
            "votePost",
        ],
    ),
    (
        Scope::ReadNotifications,
        &[
            "announcements",
            "notificationReceived",
            "notificationSettings",
            "notifications",
            "pushSubscriptions",
            "unreadNotificationCount",
        ],
    ),
    (
        Scope::WriteNotifications,
        &[
            "announcements",
            "cancelAnnouncement",
            "createAnnouncement",
            "markNotifications",
            "muteNotifications",
            "notificationReceived",
            "notificationSettings",
            "notifications",
            "pushSubscriptions",
            "unreadNotificationCount",
            "updateNotificationSettings",
        ],
    ),
    (
        Scope::ReadOrders,
        &[
            "coupons",
            "donations",
            "earnings",
            "family",
            "memberships",
            "orderChanged",
            "orders",
            "orders",
            "ordersCsvUrl",
            "paymentEvents",
        ],
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_token_opens_what_its_scopes_name_and_nothing_else() {
    let app = TestApp::start().await;
    let executor = Executor::new(app.app.clone()).unwrap();
    let sdl = Sdl::read();
    let mut opened: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (root, field) in sdl.root_fields() {
        let query = sdl.call(root, field);
        let Some(Rule { role, scope }) = rule(root, field) else { continue };
        for chosen in Scope::ALL {
            let (code, message) = refusal(&executor, &query, somebody(Role::Admin, Some(&[chosen]))).await;
            let refused = code == "FORBIDDEN" && message.contains("API token");
            let opens = scope.is_some_and(|scope| Scopes::from_iter([chosen]).allow(scope));
            assert_eq!(refused, !opens, "{query} with {chosen:?}: {code} {message}");
            if !refused {
                opened.entry(chosen.as_str()).or_default().push(field.name.node.to_string());
            }
        }
        let opens = |other: Scope| scope.is_some_and(|scope| Scopes::from_iter([other]).allow(scope));
        let all_but: Vec<Scope> = Scope::ALL.into_iter().filter(|other| !opens(*other)).collect();
        let (code, message) = refusal(&executor, &query, somebody(Role::Admin, Some(&all_but))).await;
        let told = match scope {
            Some(scope) => format!("This needs the scope {}, which the API token lacks.", scope.as_str()),
            None => "This needs a session: no scope opens it to a personal API token.".to_owned(),
        };
        assert_eq!((code.as_str(), message), ("FORBIDDEN", told), "{query} with everything else");
        // A token is never more than its owner.
        if role > Role::Student {
            let (code, message) = refusal(&executor, &query, somebody(Role::Student, Some(&Scope::ALL))).await;
            assert!(code == "FORBIDDEN" && message.contains("yours is STUDENT"), "{query}: {code} {message}");
        }
    }
    for (scope, fields) in OPENED {
        let mut found = opened.remove(scope.as_str()).unwrap_or_default();
        found.sort();
        assert_eq!(found, fields, "{scope:?}");
    }
}

/// A resolver that got at the actor without saying for which scope would treat a token like a session.
#[test]
fn who_asks_is_asked_in_one_place() {
    let mut found = Vec::new();
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let direct =
                ["data_unchecked::<", "data_opt::<", "data::<"].into_iter().flat_map(|get| text.split(get).skip(1));
            let is_caller = |ty: &str| ty.ends_with("Actor") || ty.ends_with("Caller");
            if direct.into_iter().any(|after| is_caller(after.split('>').next().unwrap())) {
                found.push(path.file_name().unwrap().to_string_lossy().into_owned());
            }
        }
    }
    assert_eq!(found, ["context.rs"]);
}

/// The list is in `src/graphql/user_errors.txt`. That it is complete, debug builds check whenever a mutation is called.
#[test]
fn every_mutation_lists_the_codes_of_its_user_errors() {
    let schema = Sdl::read();
    let known: Vec<String> = match &schema.0["UserErrorCode"].kind {
        TypeKind::Enum(codes) => codes.values.iter().map(|code| code.node.value.node.to_string()).collect(),
        _ => panic!("UserErrorCode is no enum"),
    };
    for field in schema.fields("Mutation") {
        let name = &field.node.name.node;
        let description = &field.node.description.as_ref().unwrap().node;
        let (_, codes) = description.rsplit_once("User error codes: ").unwrap_or_else(|| panic!("{name}"));
        let codes: Vec<&str> = codes.trim_end_matches('.').split(", ").filter(|code| *code != "none").collect();
        assert!(codes.iter().all(|code| known.iter().any(|known| known == code)), "{name}: {codes:?}");
        let input = pascal(name) + "Input";
        let TypeKind::InputObject(input) = &schema.0[&input].kind else { panic!("{input}") };
        let has_version = input.fields.iter().any(|field| field.node.name.node == "version");
        assert_eq!(codes.contains(&"CONFLICT"), has_version, "{name}");
    }
}

#[test]
fn everything_in_the_schema_is_described() {
    let ServiceDocument { definitions } = parse_schema(sdl()).unwrap();
    let mut missing = Vec::new();
    let mut check = |what: String, description: &Option<Positioned<String>>| {
        if description.as_ref().is_none_or(|text| text.node.trim().is_empty()) {
            missing.push(what);
        }
    };
    for definition in &definitions {
        let ty = match definition {
            TypeSystemDefinition::Type(ty) => &ty.node,
            TypeSystemDefinition::Directive(directive) => {
                check(format!("@{}", directive.node.name.node), &directive.node.description);
                continue;
            }
            TypeSystemDefinition::Schema(_) => continue,
        };
        let name = &ty.name.node;
        if BUILT_IN.contains(&name.as_str()) {
            continue;
        }
        check(name.to_string(), &ty.description);
        let fields: &[Positioned<FieldDefinition>] = match &ty.kind {
            TypeKind::Object(object) => &object.fields,
            TypeKind::Interface(interface) => &interface.fields,
            _ => &[],
        };
        for field in fields {
            check(format!("{name}.{}", field.node.name.node), &field.node.description);
            for argument in &field.node.arguments {
                let what = format!("{name}.{}({}:)", field.node.name.node, argument.node.name.node);
                check(what, &argument.node.description);
            }
        }
        match &ty.kind {
            TypeKind::InputObject(input) => {
                for field in &input.fields {
                    check(format!("{name}.{}", field.node.name.node), &field.node.description);
                }
            }
            TypeKind::Enum(values) => {
                for value in &values.values {
                    check(format!("{name}.{}", value.node.value.node), &value.node.description);
                }
            }
            _ => {}
        }
    }
    assert!(missing.is_empty(), "without a description:\n{}", missing.join("\n"));
}

#[test]
fn every_mutation_takes_one_input_and_answers_with_a_payload_of_its_own() {
    let sdl = Sdl::read();
    let mut wrong = Vec::new();
    for field in sdl.fields("Mutation").iter().map(|field| &field.node) {
        let name = pascal(&field.name.node);
        let arguments: Vec<String> = field
            .arguments
            .iter()
            .map(|argument| format!("{}: {}", argument.node.name.node, argument.node.ty.node))
            .collect();
        if arguments != [format!("input: {name}Input!")] {
            wrong.push(format!("{}({}): it takes one `input: {name}Input!`", field.name.node, arguments.join(", ")));
        }
        if field.ty.node.to_string() != format!("{name}Payload") {
            wrong.push(format!("{}: {}: it returns a nullable {name}Payload", field.name.node, field.ty.node));
        }
        let payload = sdl.fields(&format!("{name}Payload"));
        let mut has_errors = false;
        for part in payload.iter().map(|part| &part.node) {
            match part.name.node.as_str() {
                "userErrors" => has_errors = part.ty.node.to_string() == "[UserError!]!",
                other if !part.ty.node.nullable => wrong.push(format!("{name}Payload.{other} is null with userErrors")),
                _ => {}
            }
        }
        if !has_errors {
            wrong.push(format!("{name}Payload has `userErrors: [UserError!]!`"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_list_is_a_connection() {
    let sdl = Sdl::read();
    let mut wrong = Vec::new();
    for (ty, field) in sdl.all_fields() {
        let (name, returned) = (field.name.node.as_str(), named(&field.ty.node));
        let path = format!("{ty}.{name}");
        let part = (ty.ends_with("Connection") && ["edges", "nodes"].contains(&name)) || name == "userErrors";
        if matches!(field.ty.node.base, BaseType::List(_)) && !part && !PLAIN_LISTS.contains(&&*path) {
            wrong.push(format!("{path}: {} is a list without pages", field.ty.node));
        }
        if returned.ends_with("Connection") {
            let mut arguments: Vec<&str> =
                field.arguments.iter().map(|argument| argument.node.name.node.as_str()).collect();
            arguments.retain(|argument| ["first", "after", "last", "before"].contains(argument));
            if arguments.len() != 4 {
                wrong.push(format!("{path} lacks one of first, after, last, before"));
            }
            let parts: Vec<&str> = sdl.fields(returned).iter().map(|field| field.node.name.node.as_str()).collect();
            if !["edges", "nodes", "pageInfo", "totalCount"].iter().all(|part| parts.contains(part)) {
                wrong.push(format!("{returned} lacks one of edges, nodes, pageInfo, totalCount"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
