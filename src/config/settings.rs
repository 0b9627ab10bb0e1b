//! The table of all settings.

/// One setting, as `docs/settings.md` and `lyceum config check` show it.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The environment variable.
    pub name: &'static str,
    /// The default, as shown in the documentation.
    pub default: &'static str,
    /// Whether the value is secret and is never printed.
    pub secret: bool,
    /// What it does.
    pub help: &'static str,
}

const fn setting(name: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting { name, default, secret: false, help }
}

const fn secret(name: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting { name, default, secret: true, help }
}

/// All settings.
pub const SETTINGS: &[Setting] = &[
    setting("LYCEUM_ENV", "development", "`production` rejects embedded services and missing or weak secrets"),
    setting("LYCEUM_ADDR", "127.0.0.1:8080", "IP address and port to listen on"),
    setting(
        "LYCEUM_PUBLIC_URL",
        "http://<LYCEUM_ADDR>",
        "URL at which browsers reach this server; must be https in production",
    ),
    setting(
        "LYCEUM_APP_URL",
        "LYCEUM_PUBLIC_URL",
        "URL of the frontend that emails link to; it serves /activate, /reset-password, /confirm-email, /join, \
         /family, /open (shows the node whose ID is `id`) and /notifications",
    ),
    setting("LYCEUM_SITE_NAME", "Lyceum", "name of the school in emails"),
    setting("LYCEUM_DATA", ".lyceum", "directory for the embedded services and the development secret"),
    secret("LYCEUM_SECRET", "made at first start", "key that signs access tokens; at least 32 characters"),
    secret(
        "LYCEUM_PREVIOUS_SECRETS",
        "(none)",
        "former values of LYCEUM_SECRET that are still accepted, comma-separated",
    ),
    setting("LYCEUM_TOKEN_MINUTES", "10", "lifetime of an access token in minutes, 1 to 1440"),
    setting("LYCEUM_SESSION_DAYS", "30", "lifetime of a session in days if it is not refreshed, 1 to 365"),
    setting(
        "LYCEUM_MAX_SESSIONS",
        "0",
        "maximum number of sessions per user, beyond which the oldest ends; 0 means no limit",
    ),
    setting(
        "LYCEUM_REQUIRE_SECOND_FACTOR",
        "nobody",
        "`admins`: administrators without a second factor have no administrator rights",
    ),
    setting(
        "LYCEUM_DELETION_DAYS",
        "14",
        "number of days in which the deletion of an account can be canceled, 0 to 90",
    ),
    setting(
        "LYCEUM_INTROSPECTION",
        "everyone, in production administrators",
        "who can read the schema from the server and is told similar names of unknown fields: `everyone` or `administrators`",
    ),
    setting("LYCEUM_AUDIT_DAYS", "730", "number of days for which the audit trail is retained, 30 to 3650"),
    setting("LYCEUM_METRICS_ADDR", "(none)", "IP address and port that serve /metrics instead of LYCEUM_ADDR"),
    setting("LYCEUM_PROXIES", "0", "number of trusted reverse proxies that append to X-Forwarded-For"),
    setting(
        "LYCEUM_CORS_ORIGINS",
        "(none)",
        "origins of browser apps that may call this server, comma-separated; in development all of this machine may",
    ),
    setting(
        "LYCEUM_LOG",
        "info,tokio_postgres=warn",
        "log filter, such as error, warn, info, debug or `lyceum=debug,warn`",
    ),
    setting("LYCEUM_LOG_FORMAT", "text", "`text` or `json`"),
    secret("DATABASE_URL", "embedded PostgreSQL", "URL of PostgreSQL 15 or later"),
    setting(
        "LYCEUM_SEARCHES",
        "4",
        "maximum number of concurrent searches and filtered lists, each on its own database connection, 1 to 100",
    ),
    setting("LYCEUM_DB_CONNECTIONS", "10", "maximum number of database connections of this process, 2 to 500"),
    secret(
        "REDIS_URL",
        "in this process",
        "URL of Redis 7 or Valkey; for a cluster, the comma-separated URLs of several nodes",
    ),
    setting(
        "S3_ENDPOINT",
        "embedded store",
        "URL of an S3-compatible object store; for AWS, leave it unset and set S3_BUCKET",
    ),
    setting("S3_BUCKET", "lyceum", "bucket for videos, images and files"),
    setting("S3_REGION", "us-east-1", "region of the bucket"),
    setting("S3_ACCESS_KEY_ID", "made at first start", "access key ID for the bucket"),
    secret("S3_SECRET_ACCESS_KEY", "made at first start", "secret access key for the bucket"),
    setting(
        "LYCEUM_FFMPEG",
        "on the PATH, if it is there",
        "directory of `ffmpeg` and `ffprobe`, which convert videos; `off` disables conversion",
    ),
    setting("LYCEUM_TRANSCODES", "1", "maximum number of videos that this process converts concurrently, 1 to 64"),
    setting(
        "LYCEUM_PLAYBACK_MINUTES",
        "30",
        "number of minutes that playback URLs stay valid beyond the video's duration, 1 to 1440",
    ),
    setting(
        "LYCEUM_SERVE_ORIGINALS",
        "until-converted",
        "whether players get the original of a video `until-converted`, or `always`, which lets viewers download it",
    ),
    setting("LYCEUM_MAX_PLAYERS", "0", "maximum number of sessions per user that play concurrently; 0 means no limit"),
    setting(
        "LYCEUM_COMPLETION_PERCENT",
        "90",
        "share of a video in percent that completes its lesson when it was watched, 1 to 100, for courses that set none",
    ),
    setting(
        "LYCEUM_LIVE_MINUTES",
        "60",
        "lengths in minutes that live sessions may have: a comma-separated list out of 30, 45, 60, 90",
    ),
    setting(
        "LYCEUM_LIVE_FREE_HOURS",
        "0",
        "hours of live classes per month for users without a membership for them, 0 to 744; 0: only members take part",
    ),
    setting(
        "LYCEUM_LIVE_PARTIAL_ATTENDANCE",
        "off",
        "`on`: a live session costs a participant the minutes from when they entered until they left; `off`: all of it",
    ),
    setting(
        "LYCEUM_ATTENDANCE_DAYS",
        "0",
        "number of days for which it is retained who was in a live session, 32 to 3650; the hours of each month stay; 0: for good",
    ),
    setting(
        "LYCEUM_HOURLY_POSTS",
        "60",
        "maximum number of questions, replies and reviews that a student writes in a course within an hour, 0 to 10000; 0 means no limit",
    ),
    setting(
        "LYCEUM_LINK_HOLD_HOURS",
        "24",
        "number of hours for which a new account's posts with links are held for moderation, 0 to 8760",
    ),
    setting(
        "LYCEUM_PAYMENTS",
        "sandbox unless another provider is set up; in production off",
        "`sandbox`: orders are paid in a sandbox that takes no money, and that is refused in production; `off`: only the \
         payment providers below take payments, and without any, only what costs nothing is sold",
    ),
    secret(
        "LYCEUM_STRIPE_SECRET_KEY",
        "(off)",
        "secret or restricted key of Stripe; test keys are refused in production",
    ),
    setting("LYCEUM_STRIPE_ACCOUNT", "(required with the key)", "ID of the Stripe account, acct_…"),
    secret(
        "LYCEUM_STRIPE_WEBHOOK_SECRET",
        "(required with the key)",
        "signing secret of the webhook endpoint at Stripe, whose URL is LYCEUM_PUBLIC_URL/webhooks/stripe; see docs/payments.md",
    ),
    setting("LYCEUM_STRIPE_URL", "https://api.stripe.com", "base URL of Stripe's API"),
    setting("LYCEUM_RAZORPAY_KEY_ID", "(off)", "ID of the key of Razorpay; test keys are refused in production"),
    secret("LYCEUM_RAZORPAY_KEY_SECRET", "(required with the key)", "secret of the key of Razorpay"),
    setting("LYCEUM_RAZORPAY_ACCOUNT", "(required with the key)", "ID of the Razorpay account, acc_…"),
    secret(
        "LYCEUM_RAZORPAY_WEBHOOK_SECRET",
        "(required with the key)",
        "secret of the webhook at Razorpay, whose URL is LYCEUM_PUBLIC_URL/webhooks/razorpay, then former ones, \
         comma-separated",
    ),
    setting("LYCEUM_RAZORPAY_URL", "https://api.razorpay.com", "base URL of Razorpay's API"),
    setting("LYCEUM_PAYPAL_CLIENT_ID", "(off)", "client ID of a REST app at PayPal"),
    secret("LYCEUM_PAYPAL_CLIENT_SECRET", "(required with the ID)", "secret of the app at PayPal"),
    setting("LYCEUM_PAYPAL_MERCHANT_ID", "(required with the ID)", "merchant ID of the PayPal account"),
    setting(
        "LYCEUM_PAYPAL_WEBHOOK_ID",
        "(required with the ID)",
        "ID of the webhook at PayPal, whose URL is LYCEUM_PUBLIC_URL/webhooks/paypal",
    ),
    setting(
        "LYCEUM_PAYPAL_URL",
        "https://api-m.paypal.com",
        "base URL of PayPal's API; its sandbox, https://api-m.sandbox.paypal.com, is refused in production",
    ),
    secret(
        "LYCEUM_GOOGLE_PLAY_CREDENTIALS",
        "(off)",
        "JSON of the service account that may read and acknowledge purchases on Google Play",
    ),
    setting("LYCEUM_GOOGLE_PLAY_PACKAGE", "(required with the credentials)", "package of the app on Google Play"),
    setting(
        "LYCEUM_GOOGLE_PLAY_PUSH_AUDIENCE",
        "(required with the credentials)",
        "audience of the tokens with which Pub/Sub signs notifications",
    ),
    setting(
        "LYCEUM_GOOGLE_PLAY_PUSH_ACCOUNT",
        "(required with the credentials)",
        "email address of the service account with which Pub/Sub signs notifications",
    ),
    setting("LYCEUM_GOOGLE_PLAY_URL", "https://androidpublisher.googleapis.com", "base URL of the API of Google Play"),
    setting(
        "LYCEUM_GOOGLE_KEYS_URL",
        "https://www.googleapis.com/oauth2/v3/certs",
        "URL of the keys with which Google signs tokens",
    ),
    setting(
        "LYCEUM_TAX",
        "rates",
        "who says what tax is due: `rates` are LYCEUM_TAXES, `stripe` is Stripe Tax; see docs/payments.md",
    ),
    setting(
        "LYCEUM_TAX_ADDED_IN",
        "(none)",
        "countries in which Stripe Tax is added to prices, comma-separated, such as `US,CA`; in the others, prices include it",
    ),
    setting(
        "LYCEUM_TAXES",
        "(none)",
        "taxes by country in percent, comma-separated, such as `DE=19,US=+8.25`: prices include the tax, or with a plus it is added",
    ),
    setting(
        "LYCEUM_DUNNING_DAYS",
        "1,3,5",
        "days after the renewal of a membership has failed on which it is tried again, ascending; after the last, it ends",
    ),
    setting(
        "LYCEUM_TIMEZONE",
        "UTC",
        "time zone of months and billing periods: a name of the IANA database, such as `Europe/Berlin`",
    ),
    setting(
        "LYCEUM_ORDER_MINUTES",
        "1440",
        "number of minutes after which an order expires that is not paid, 5 to 44640",
    ),
    setting(
        "LYCEUM_ORDER_REMINDER_MINUTES",
        "60",
        "number of minutes after which the buyer of an unpaid order is reminded, once, 0 to 44640; 0 means never",
    ),
    setting(
        "LYCEUM_CHANNEL_SHARE",
        "70",
        "what part of the sales of a channel is its own, in percent of the price without tax, 0 to 100; `setChannelShare` \
         sets another one for a channel",
    ),
    setting("LYCEUM_GIFT_DAYS", "180", "number of days after which an unclaimed gift is refunded, 1 to 3650"),
    setting("LYCEUM_SELLER_NAME", "the site's name", "name of the seller on invoices"),
    setting("LYCEUM_SELLER_ADDRESS", "(none)", "address of the seller on invoices; `|` separates its lines"),
    setting("LYCEUM_SELLER_TAX_ID", "(none)", "tax number of the seller on invoices, such as a VAT ID"),
    setting(
        "LYCEUM_INVOICE_PREFIX",
        "INV-",
        "what the numbers of invoices begin with; each prefix has a series of its own, which begins with 1",
    ),
    setting("LYCEUM_CREDIT_NOTE_PREFIX", "CN-", "the same for credit notes"),
    setting("LYCEUM_BLOCKED_WORDS", "(none)", "words whose posts are held for moderation, comma-separated"),
    setting(
        "LYCEUM_NOTIFICATION_DAYS",
        "365",
        "number of days for which a notification is retained after its latest event, 1 to 3650",
    ),
    setting(
        "LYCEUM_READ_NOTIFICATION_DAYS",
        "30",
        "the same for a notification of one user who has read it, 1 to 3650",
    ),
    setting(
        "LYCEUM_VIDEO_GRACE_DAYS",
        "7",
        "number of days in which a deleted or replaced video or an unused file can be used again, 0 to 365",
    ),
    setting("LYCEUM_MAX_UPLOAD_MIB", "20480", "maximum size of an uploaded file in MiB, 1 to 4194304"),
    setting("LYCEUM_MAX_UPLOADS", "20", "maximum number of uploads in progress per user, 1 to 1000"),
    setting(
        "LYCEUM_STORAGE_QUOTA_MIB",
        "1048576",
        "maximum size of one user's videos and files together in MiB, originals only, 0 for no limit",
    ),
    setting("LYCEUM_UPLOAD_HOURS", "24", "number of hours until an upload expires, 1 to 168"),
    secret(
        "LYCEUM_STORAGE_HOOK_SECRET",
        "(none)",
        "secret that the object store sends with its events; the webhook is disabled if unset",
    ),
    secret("SMTP_URL", "files, shown at /dev/mail", "`smtp://` or `smtps://` URL with user name and password"),
    setting("LYCEUM_MAIL_FROM", "Lyceum <no-reply@lyceum.example>", "sender of emails"),
    secret(
        "LYCEUM_MAIL_HOOK_SECRET",
        "(none)",
        "secret that the mail service sends with reports of bounces and complaints; the webhook is disabled if unset",
    ),
    secret(
        "LYCEUM_VAPID_KEY",
        "in development derived from LYCEUM_SECRET",
        "private key of Web Push in base64url, as `npx web-push generate-vapid-keys` prints it; in production there is \
         no Web Push if unset",
    ),
    secret(
        "LYCEUM_FCM_CREDENTIALS",
        "(none)",
        "JSON of the Google service account that sends push messages to Android apps; none are sent if unset",
    ),
    setting("LYCEUM_FCM_URL", "https://fcm.googleapis.com", "base URL of Firebase Cloud Messaging"),
    secret(
        "LYCEUM_APNS_KEY",
        "(none)",
        "key (PEM, with \\n for line breaks) that signs push messages to apps of Apple devices; none are sent if unset",
    ),
    setting("LYCEUM_APNS_KEY_ID", "(none)", "ID of LYCEUM_APNS_KEY"),
    setting("LYCEUM_APNS_TEAM_ID", "(none)", "ID of the Apple developer team"),
    setting("LYCEUM_APNS_TOPIC", "(none)", "bundle ID of the app on Apple devices"),
    setting(
        "LYCEUM_APNS_URL",
        "https://api.push.apple.com",
        "base URL of the Apple Push Notification service; for development builds https://api.sandbox.push.apple.com",
    ),
    setting("LYCEUM_GOOGLE_CLIENT_ID", "(none)", "client ID for sign-in with Google"),
    secret("LYCEUM_GOOGLE_CLIENT_SECRET", "(none)", "client secret for sign-in with Google"),
    setting("LYCEUM_GITHUB_CLIENT_ID", "(none)", "client ID for sign-in with GitHub"),
    secret("LYCEUM_GITHUB_CLIENT_SECRET", "(none)", "client secret for sign-in with GitHub"),
    setting("LYCEUM_OIDC_ISSUER", "(none)", "URL of an OpenID Connect issuer for sign-in"),
    setting("LYCEUM_OIDC_NAME", "Single sign-on", "display name of the OpenID Connect issuer"),
    setting("LYCEUM_OIDC_CLIENT_ID", "(none)", "client ID at the OpenID Connect issuer"),
    secret("LYCEUM_OIDC_CLIENT_SECRET", "(none)", "client secret at the OpenID Connect issuer"),
    setting("LYCEUM_MAX_BODY_BYTES", "1048576", "maximum size of a request body in bytes"),
    setting("LYCEUM_MAX_DEPTH", "15", "maximum depth of a selection; GraphiQL needs at least 15"),
    setting("LYCEUM_MAX_COST", "15000", "maximum number of objects that one operation may request"),
    setting("LYCEUM_MAX_ALIASES", "30", "maximum number of aliases per document"),
    setting("LYCEUM_MAX_TOKENS", "4000", "maximum number of tokens per document"),
    setting("LYCEUM_MAX_DIRECTIVES", "30", "maximum number of directives per document"),
    setting("LYCEUM_MAX_BATCH", "10", "maximum number of operations per HTTP request"),
    setting("LYCEUM_MAX_OPERATIONS", "50", "maximum number of concurrent operations per WebSocket connection"),
    setting(
        "LYCEUM_CACHE_SECONDS",
        "10",
        "CDN cache TTL in seconds for anonymous GET queries, and so their maximum staleness; 0 disables caching",
    ),
    setting(
        "LYCEUM_ROW_CACHE",
        "on",
        "`on`: rows that are the same for all viewers are cached for up to a second; `off`: every request asks PostgreSQL",
    ),
    setting("LYCEUM_THREADS", "one for each core", "number of threads that serve requests, 1 to 512"),
    setting("LYCEUM_MAX_CONNECTIONS", "20000", "maximum number of open connections, WebSockets included"),
    setting(
        "LYCEUM_MAX_CLIENT_CONNECTIONS",
        "1000",
        "maximum number of open connections per client address, without a proxy",
    ),
    setting("LYCEUM_MAX_CLIENT_SOCKETS", "1000", "maximum number of open WebSockets and streams per client address"),
    setting("LYCEUM_TIMEOUT_SECONDS", "15", "timeout of an operation in seconds"),
    setting(
        "LYCEUM_DRAIN_SECONDS",
        "5, in development 0",
        "seconds from the signal to stop until no new connections are accepted; meanwhile /readyz says 503",
    ),
    setting("LYCEUM_SHUTDOWN_SECONDS", "20", "maximum wait in seconds for running requests and jobs at shutdown"),
];
