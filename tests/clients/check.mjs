// Runs the scripts named as arguments: a line for each that is fine, and all the output of one that is not.
import { spawnSync } from "node:child_process";

let failed = false;
for (const script of process.argv.slice(2)) {
  const start = Date.now();
  const { status, stdout, stderr } = spawnSync("npm", ["run", "--silent", script], { encoding: "utf8" });
  const ok = status === 0;
  console.log(`${ok ? "ok    " : "FAILED"} ${script} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
  if (!ok) {
    console.log(stdout + stderr);
    failed = true;
  }
}
process.exitCode = failed ? 1 : 0;
