// Mail programs and mail servers behind a network that loses, delays and reorders packets, and for a while carries none.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { run } from "../../support/programs/program.ts";
import { lacking } from "../../support/programs/requirements.ts";

const scenario = fileURLToPath(new URL("lossy-network.ts", import.meta.url));

/** The reason why this machine has no network for the test, or false. */
function lackOfNetwork(): string | false {
  const open = ["--net", "sh", "-c", "exec 3<>/dev/net/tun"];
  const { error, status } = spawnSync("unshare", open);
  if (error !== undefined || status !== 0) {
    return "network namespaces or /dev/net/tun are not allowed here: packet loss is not tested";
  }
  return lacking("gcc");
}

test(
  "behind a network that loses and delays packets, and then carries none, mail programs hear nothing wrong",
  { skip: lackOfNetwork() },
  async (t) => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { end, stdout, stderr } = await run("unshare", ["--net", process.execPath, scenario], {
      env,
    });
    for (const [, figures = ""] of stdout.matchAll(/ℹ (\d+ sessions: .*)$/gm))
      t.diagnostic(figures);
    assert.equal(end, 0, `${stdout}${stderr}`);
  },
);
