// Prints each new video, and misses none when the connection breaks: a subscription with urql and graphql-ws.
//
//   npm start -w urql -- http://127.0.0.1:8080        and, in a second terminal:  node publish.mjs
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, cacheExchange, fetchExchange, gql, subscriptionExchange } from '@urql/core';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const url = new URL('/graphql', process.argv[2] ?? 'http://127.0.0.1:8080').href;

let silence; // A dead peer closes nothing: the server must answer each ping within 5 seconds.
const sockets = createClient({
  url: url.replace('http', 'ws'),
  webSocketImpl: WebSocket, // A browser has its own; leave this out.
  retryAttempts: 0, // Not by itself: it would repeat the old cursor. The loop below goes on from the last one.
  keepAlive: 10_000,
  on: {
    ping: (received) => { if (!received) silence = setTimeout(() => sockets.terminate(), 5_000); },
    pong: (received) => { if (received) clearTimeout(silence); },
  },
  // connectionParams: () => ({ authorization: `Bearer ${accessToken}` }),
});

const client = new Client({
  url,
  preferGetMethod: false,
  exchanges: [
    cacheExchange,
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: ({ query, variables }) => ({
        subscribe: (sink) => ({ unsubscribe: sockets.subscribe({ query: query ?? '', variables }, sink) }),
      }),
    }),
  ],
});

const COURSES = gql`
  query Courses { courses(first: 1) { totalCount } }
`;
const NEW_VIDEO = gql`
  subscription NewVideo($after: String) {
    newVideo(after: $after) { cursor isStart lesson { id title } course { id title } }
  }
`;

const { data, error } = await client.query(COURSES, {}).toPromise();
if (!data) throw error;
console.log(`${data.courses.totalCount} courses; waiting for new videos`);

/** Follows until the connection breaks; returns the last cursor. */
function follow(after) {
  return new Promise((resolve) => {
    let cursor = after;
    const { unsubscribe } = client.subscription(NEW_VIDEO, { after }).subscribe(({ data, error }) => {
      if (error) {
        console.error('lost:', error.message);
        setTimeout(() => unsubscribe());
        resolve(cursor);
        return;
      }
      const { isStart, lesson, course } = data.newVideo;
      cursor = data.newVideo.cursor;
      // The first message only has a cursor to resume from.
      if (!isStart) console.log(lesson ? `${course.title}: ${lesson.title}` : 'A video that was withdrawn again.');
    });
  });
}

for (let cursor = null; ; ) {
  cursor = await follow(cursor);
  await sleep(1_000 + Math.random() * 1_000); // Not all clients at the same moment.
}
