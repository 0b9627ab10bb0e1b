import graphql from "@graphql-eslint/eslint-plugin";

// The paths are relative to the root of the repository, where `npm run lint` starts ESLint: it refuses files that are
// above the folder it is started in.
const schema = "schema.graphql";
const documents = "tests/{screens,clients/operations}/*.graphql";

const parsed = {
  plugins: { "@graphql-eslint": graphql },
  languageOptions: {
    parser: graphql.parser,
    parserOptions: { graphQLConfig: { schema, documents } },
  },
};

// Values that belong to the object they are found in. An id would make a client's cache share them between objects,
// although the viewer's rights to each can differ.
const values = [
  "Access",
  "AuditAccessDetails",
  "AuditApiTokenDetails",
  "AuditBanDetails",
  "AnnouncementDelivery",
  "AuditAnnouncementDetails",
  "AuditCategoryDetails",
  "AuditChannelDetails",
  "AuditCouponDetails",
  "AuditCourseTransfer",
  "AuditDeletionDetails",
  "AuditEarningsDetails",
  "AuditEmailChangeDetails",
  "AuditIdentityDetails",
  "AuditInvitationDetails",
  "AuditJobDetails",
  "AuditModerationDetails",
  "AuditPaymentEventDetails",
  "AuditPlayProductDetails",
  "AuditRefundDetails",
  "AuditRoleChange",
  "AuditSessionDetails",
  "AuditSignInFailure",
  "Audience",
  "Ban",
  "CourseProgress",
  "CourseSearchResult",
  "DeliveryCounts",
  "Device",
  "EarningsStatement",
  "Eligibility",
  "Facet",
  "FacetValue",
  "Family",
  "FamilyInvitation",
  "FamilyMember",
  "FamilyUsage",
  "HoursBucket",
  "IdentityProvider",
  "Image",
  "LessonChapter",
  "LessonContent",
  "LessonLink",
  "LessonProgress",
  "LessonResource",
  "MembershipChangeQuote",
  "Money",
  "MonthHours",
  "NewVideo",
  "NotificationEvent",
  "NotificationPreference",
  "OrderEvent",
  "OrderQuote",
  "OrderQuoteItem",
  "PageInfo",
  "PlanGateway",
  "PlanMembers",
  "PlayProduct",
  "PlayableVideo",
  "PlaybackCaptions",
  "PostEdit",
  "QuestionEvent",
  "RatingBucket",
  "Sale",
  "SignInChallenge",
  "SubscriptionStatistics",
  "SubscriptionUsage",
  "SubscriptionUsageEvent",
  "TextPart",
  "UploadHeader",
  "UploadPart",
  "UploadPartUrl",
  "UploadProgress",
  "UserError",
  "VideoCaptions",
  "VideoPlayback",
  "VideoProgress",
];

// Of these there is one for each viewer.
const singletons = ["NotificationSettings", "SecondFactor"];

const [, conventions] = graphql.configs["flat/schema-recommended"].rules["@graphql-eslint/naming-convention"];

export default [
  {
    ...parsed,
    files: [schema],
    rules: {
      ...graphql.configs["flat/schema-recommended"].rules,
      ...graphql.configs["flat/schema-relay"].rules,
      "@graphql-eslint/strict-id-in-types": [
        "error",
        { exceptions: { types: [...values, ...singletons], suffixes: ["Payload", "Connection", "Edge"] } },
      ],
      // It takes `Report.reporter` for a repetition, and knows no exceptions.
      "@graphql-eslint/no-typename-prefix": "off",
      // It takes the hours of a subscription for the operation, and knows no exceptions.
      "@graphql-eslint/naming-convention": [
        "error",
        { ...conventions, "FieldDefinition[parent.name.value=Subscription]": { forbiddenSuffixes: ["Subscription"] } },
      ],
      // Short lists of values (`tags`, `userErrors`) need no pages, and connections offer their `nodes` without edges too.
      // Some nodes cannot be asked for again: a search's results, news, enrollments, invitations, identity providers.
      "@graphql-eslint/relay-edge-types": [
        "error",
        { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false },
      ],
    },
  },
  {
    ...parsed,
    files: [documents],
    rules: graphql.configs["flat/operations-recommended"].rules,
  },
];
