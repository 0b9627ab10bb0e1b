// Replaces each compressible file `x` of dist/ by `x.gz`: the program embeds them all, and every browser takes gzip.
import { readdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { constants, gzipSync } from 'node:zlib';

const DIST = fileURLToPath(new URL('../dist', import.meta.url));
const COMPRESSIBLE = new Set(['.js', '.css', '.svg', '.json', '.md', '.ttf']);
const SMALLEST = 1024;

let plain = 0;
let packed = 0;
for (const name of readdirSync(DIST, { recursive: true })) {
  const file = join(DIST, name);
  if (!COMPRESSIBLE.has(extname(file)) || !statSync(file).isFile()) continue;
  const bytes = readFileSync(file);
  if (bytes.length <= SMALLEST) continue;
  const gz = gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION });
  if (gz.length >= bytes.length) continue;
  writeFileSync(`${file}.gz`, gz);
  unlinkSync(file);
  plain += bytes.length;
  packed += gz.length;
}
const mega = (n) => `${(n / 1e6).toFixed(2)} MB`;
console.log(`gzip: ${mega(plain)} -> ${mega(packed)}`);
