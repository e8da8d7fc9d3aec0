// The container's entry and its health check, as programs.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { type TestContext, describe, test } from "node:test";
import { ENVIRONMENT } from "../../proxy/config/index.ts";
import { mailBlock } from "../support/proxy/configuration.ts";
import { greeted } from "../support/peers/mail-client.ts";
import { freePorts } from "../support/programs/ports.ts";
import { Program, run } from "../support/programs/program.ts";
import { startWebServer } from "../support/http/web-server.ts";
import { makeSite } from "./process/site.ts";

const entry = fileURLToPath(new URL("../../proxy/container.cjs", import.meta.url));
const health = fileURLToPath(new URL("../../proxy/health.ts", import.meta.url));

/** Whatever is mounted on the machine of the test. */
const none = { POSTERN_CONFIGURATION: ENVIRONMENT };

/** A configuration of one server, in a directory for the length of the test. */
async function mounted(t: TestContext): Promise<{ port: number; file: string }> {
  const [port = 0] = await freePorts(1);
  const text = `error_log stderr notice;\n${mailBlock("protocol imap;")}`;
  const listen = text.replace("listen 143;", `listen 127.0.0.1:${port};`);
  return { port, file: `${await makeSite(t, { "nginx.conf": listen })}/nginx.conf` };
}

describe("the container's entry", () => {
  test("names the missing variable where there is neither configuration nor environment", async () => {
    const { end, stderr } = await run(process.execPath, [entry], { env: none });
    assert.equal(end, 1);
    assert.match(stderr, /^postern: \[emerg\] POSTERN_AUTH_HTTP is not set\npostern: .*\n$/);
  });

  test("reports an error of the environment with its variable, and no secret", async () => {
    const env = {
      ...none,
      POSTERN_AUTH_HTTP: "https://127.0.0.1/auth",
      POSTERN_AUTH_KEY: "hush",
      POSTERN_TRUSTED_NETWORKS: "10.0.0.0/8",
      POSTERN_WORKERS: "0",
    };
    const { end, stderr } = await run(process.execPath, [entry], { env });
    assert.equal(end, 1);
    assert.match(stderr, /^postern: \[emerg\] .* in \/environment\/POSTERN_WORKERS:1\n$/);
    assert.doesNotMatch(stderr, /hush/);
  });

  for (const way of ["POSTERN_CONFIGURATION", "-c"]) {
    test(`serves the configuration of ${way}`, async (t) => {
      const { port, file } = await mounted(t);
      const program = new Program(process.execPath, way === "-c" ? [entry, "-c", file] : [entry], {
        env: way === "-c" ? none : { [way]: file },
      });
      t.after(() => program.stop());
      await program.listening([port]);
      (await greeted("imap", port)).end();
      assert.equal(await program.stop("SIGQUIT"), 0);
    });
  }
});

describe("the container's health check", () => {
  function check(listen: string): ReturnType<typeof run> {
    return run(process.execPath, [health], { env: { POSTERN_STATUS_LISTEN: listen } });
  }

  test("succeeds with 200 from /healthz, wherever Postern listens", async () => {
    await using status = await startWebServer((request, response) => {
      response.writeHead(request.url === "/healthz" ? 200 : 404).end();
    });
    const { host, port } = new URL(status.url);
    for (const listen of [host, port, `*:${port}`, `0.0.0.0:${port}`]) {
      assert.deepEqual(await check(listen), { end: 0, stdout: "", stderr: "" }, listen);
    }
  });

  test("reports the reason of a failure", async () => {
    await using status = await startWebServer((_, response) => {
      response.writeHead(503).end();
    });
    const { host } = new URL(status.url);
    const ill = await check(host);
    assert.deepEqual(ill, {
      end: 1,
      stdout: "",
      stderr: `postern: http://${host}/healthz answered 503\n`,
    });
    const [port] = await freePorts(1);
    const { end, stderr } = await check(`127.0.0.1:${port}`);
    assert.equal(end, 1);
    assert.match(stderr, /^postern: .*111: Connection refused.*\n$/);
  });
});
