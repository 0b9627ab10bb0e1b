// Runs the audits of the GraphQL-over-HTTP draft against a server: node tests/browser/audit.mjs <graphql url>
//
// Prints one line of JSON for each audit: its level (MUST, SHOULD, MAY), id, name, status (ok, warn, error, notice)
// and why it failed. Ends with code 0 once all have run: what may fail is for the caller to say. Needs `npm ci` in
// console/.
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../console/package.json', import.meta.url));
const { serverAudits } = require('graphql-http');

const [url] = process.argv.slice(2);
if (!url) {
  console.error('usage: node tests/browser/audit.mjs <graphql url>');
  process.exit(1);
}
for (const audit of serverAudits({ url, fetchFn: fetch })) {
  const { id, name, status, reason } = await audit.fn();
  console.log(JSON.stringify({ level: name.split(' ')[0], id, name, status, reason: reason ?? '' }));
}
