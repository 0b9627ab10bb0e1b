// Prints each new video of a Lyceum server, and misses none when the connection breaks.
//
// With graphql-ws alone, without urql:
//   node subscribe.mjs ws://127.0.0.1:8080/graphql
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const url = process.argv[2] ?? 'ws://127.0.0.1:8080/graphql';
const query = `subscription ($after: String) {
  newVideo(after: $after) { cursor isStart lesson { title } course { title slug } }
}`;
let silence; // A dead peer closes nothing: the server must answer each ping within 5 seconds.
const client = createClient({
  url, webSocketImpl: WebSocket, retryAttempts: 0, keepAlive: 10_000, connectionAckWaitTimeout: 10_000,
  on: {
    ping: (received) => { if (!received) silence = setTimeout(() => client.terminate(), 5_000); },
    pong: (received) => { if (received) clearTimeout(silence); },
  },
});

const variables = { after: null }; // The last cursor seen: the server first sends what came after it.
for (let pause = 1; ; pause = Math.min(pause * 2, 30)) {
  try {
    for await (const { data, errors } of client.iterate({ query, variables })) {
      if (!data?.newVideo) throw errors;
      variables.after = data.newVideo.cursor;
      pause = 1;
      const { isStart, course, lesson } = data.newVideo; // The first message only has a cursor to resume from.
      if (!isStart) console.log(lesson ? `${course.title}: ${lesson.title}` : 'A video that was withdrawn again.');
    }
  } catch (problem) {
    console.error('lost:', problem.message || problem.reason || problem.code || JSON.stringify(problem));
  }
  await sleep(pause * 1_000);
}
