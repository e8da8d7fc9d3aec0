// A value that a client has chosen, written by stock nginx and by Postern.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { lineOf } from "../../proxy/observe/log-format.ts";
import { startNginx } from "../support/real-servers/index.ts";
import { freePorts } from "../support/programs/ports.ts";
import { lacking } from "../support/programs/requirements.ts";
import { sessionRecord } from "../support/proxy/session-record.ts";

/** Every byte of ASCII that a decoded path may hold, and some beyond ASCII. */
const value = `/${Array.from({ length: 0x80 }, (_, code) => String.fromCharCode(code))
  .filter((char) => !"\0/.".includes(char))
  .join("")}äé\u2028😀`;

/** nginx passes these; Postern escapes them. */
const PASSED = /[\x7f\u2028]/g;

test(
  "log_format escapes as nginx does, but for unsafe characters in JSON",
  { skip: lacking("nginx") },
  async (t) => {
    const [port = 0] = await freePorts(1);
    const nginx = await startNginx(`
    events {}
    http {
      log_format bytes "$uri";
      log_format strings escape=json "$uri";
      server {
        listen 127.0.0.1:${port};
        access_log bytes.log bytes;
        access_log strings.log strings;
        location / { return 204; }
      }
    }
  `);
    t.after(() => nginx.stop());
    const path = [...Buffer.from(value)]
      .slice(1)
      .map((byte) => `%${byte.toString(16).padStart(2, "0")}`);
    await fetch(`http://127.0.0.1:${port}/${path.join("")}`);
    // nginx has written its last line when it has ended.
    await nginx.program.stop("SIGQUIT");
    for (const [file, escape] of [
      ["bytes.log", "default"],
      ["strings.log", "json"],
    ] as const) {
      const lines = (await readFile(join(nginx.directory, file), "utf8")).replace(
        PASSED,
        (char) => `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`,
      );
      const ours = lineOf({ escape, template: [{ variable: "login" }] })(
        sessionRecord({ login: value }),
      );
      assert.ok(lines.split("\n").includes(ours), `${lines}\n${ours}`);
    }
  },
);
