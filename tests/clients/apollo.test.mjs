// A client's cache keeps one object for each type and id. What a viewer may play is a matter of the lesson or course that
// shows a video, so it must not be shared between them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ApolloClient, ApolloLink, gql, InMemoryCache } from "@apollo/client";
import { buildSchema, graphql, GraphQLError, print } from "graphql";
import { from } from "rxjs";

const schema = buildSchema(readFileSync(new URL("../../schema.graphql", import.meta.url), "utf8"));

const video = { status: "READY", durationSeconds: 60 };
const refusal = () => {
  throw new GraphQLError("You have no access to this lesson", { extensions: { code: "FORBIDDEN" } });
};
const playback = (hlsUrl) => ({ hlsUrl, captions: [], expiresAt: "2030-01-01T00:00:00Z" });

const lessons = {
  lesson_locked: { isPreview: false, video: { ...video, playback: refusal } },
  lesson_preview: { isPreview: true, video: { ...video, playback: playback("/preview.m3u8") } },
};
// The same video three times: locked in a lesson, and free to watch in another one and as the demo of the course.
const server = {
  node: ({ id }) => ({ __typename: "Lesson", id, ...lessons[id] }),
  course: ({ id }) => ({ id, demoVideo: { ...video, playback: playback("/demo.m3u8") } }),
};

const client = () =>
  new ApolloClient({
    cache: new InMemoryCache(),
    link: new ApolloLink(({ query, variables }) =>
      from(graphql({ schema, source: print(query), variableValues: variables, rootValue: server })),
    ),
    defaultOptions: { query: { errorPolicy: "all" } },
  });

const LESSON = gql`
  query Lesson($id: ID!) {
    node(id: $id) {
      ... on Lesson {
        id
        isPreview
        video {
          status
          durationSeconds
          playback {
            hlsUrl
            expiresAt
          }
        }
      }
    }
  }
`;
const DEMO = gql`
  query Demo($id: ID!) {
    course(id: $id) {
      id
      demoVideo {
        status
        durationSeconds
        playback {
          hlsUrl
          expiresAt
        }
      }
    }
  }
`;
const locked = { query: LESSON, variables: { id: "lesson_locked" } };
const preview = { query: LESSON, variables: { id: "lesson_preview" } };
const demo = { query: DEMO, variables: { id: "course_1" } };

test("PlayableVideo is a value without an id", () => {
  const fields = Object.keys(schema.getType("PlayableVideo").getFields());
  assert.ok(!fields.includes("id"), "PlayableVideo.id: clients would share one playback between all lessons of a video");
});

for (const [name, order] of [
  ["the locked lesson first", [locked, preview, demo]],
  ["the locked lesson last", [demo, preview, locked]],
]) {
  test(`a locked lesson and previews of one video are cached apart: ${name}`, async () => {
    const apollo = client();
    for (const request of order) {
      const { data, error } = await apollo.query(request);
      assert.ok(data, error?.message);
      if (request === locked) assert.match(error.message, /no access/);
      else assert.equal(error, undefined);
    }
    const lesson = (request) => apollo.readQuery(request).node;
    assert.equal(lesson(locked).video.playback, null);
    assert.equal(lesson(locked).video.status, "READY");
    assert.equal(lesson(preview).video.playback.hlsUrl, "/preview.m3u8");
    assert.equal(apollo.readQuery(demo).course.demoVideo.playback.hlsUrl, "/demo.m3u8");
  });
}
