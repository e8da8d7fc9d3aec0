// The clock of the machine is set while Postern runs: only the times in log lines jump with it.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { route, startLookupEndpoint } from "../support/peers/lookup-endpoint.ts";
import { anna, attempt, granted, greeted, untilClosed } from "../support/peers/mail-client.ts";
import { startMailbox } from "../support/peers/mailbox/index.ts";
import { FAKETIME, lacking } from "../support/programs/requirements.ts";
import { makeScratch } from "../support/programs/scratch.ts";
import { inTheClear, startServers } from "../support/programs/servers.ts";
import { assertAtWork, logOut } from "../proxy/process/clients.ts";

/** Seconds. */
const DAY = 86_400;

test(
  "when the clock jumps a day ahead and two days back, sessions and logins go on, cached answers and limits last as long as before, and session times are right",
  { skip: lacking("faketime") },
  async (t) => {
    const scratch = await makeScratch();
    t.after(scratch.remove);
    const clock = join(scratch.path, "clock");
    const jump = (seconds: number): void =>
      writeFileSync(clock, `${seconds < 0 ? "" : "+"}${seconds}\n`);
    jump(0);
    const mailbox = await startMailbox({
      name: "mail1",
      users: [{ address: anna.login, password: anna.password }],
    });
    t.after(() => mailbox.close());
    const endpoint = await startLookupEndpoint(() =>
      route(mailbox.imap.port, { "Cache-Control": "private, max-age=3600" }),
    );
    t.after(() => endpoint.close());
    Object.assign(process.env, {
      LD_PRELOAD: FAKETIME,
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    });
    const postern = await startServers(
      `auth_http ${endpoint.address}; auth_http_cache on; limit_login_rate 1r/m burst=5;`,
      { imap: inTheClear.imap },
      "env FAKETIME_TIMESTAMP_FILE; env FAKETIME_NO_CACHE; env FAKETIME_DONT_FAKE_MONOTONIC;",
    );
    t.after(() => postern.stop());
    const arrive = () => greeted("imap", postern.ports.imap);
    const logIn = async (wire = arrive()) => {
      const client = await wire;
      return [await attempt("imap", client, anna), client] as const;
    };

    const [first, early] = await logIn();
    assert.match(first, granted.imap);
    assert.equal(endpoint.lookups.length, 1);
    let logins = 5;
    for (const seconds of [DAY, -DAY]) {
      const waiting = arrive();
      await waiting;
      jump(seconds);
      await assertAtWork(early);
      const [answer, client] = await logIn(waiting);
      assert.match(answer, granted.imap);
      const [next, other] = await logIn();
      assert.match(next, granted.imap);
      assert.equal(endpoint.lookups.length, 1, "the answer was forgotten");
      for (const wire of [client, other]) await logOut(wire);
    }
    // With the wall clock each jump would allow six more logins.
    for (const seconds of [DAY, -DAY]) {
      jump(seconds);
      for (;;) {
        const [answer, client] = await logIn();
        if (!granted.imap.test(answer)) {
          assert.match(answer, /^a NO \[LIMIT\] /);
          await untilClosed(client);
          break;
        }
        await logOut(client);
        logins++;
      }
      const minutes = performance.now() / 60_000;
      assert.ok(logins <= 6 + minutes, `${logins} logins in ${minutes} minutes`);
    }
    await logOut(early);

    const ended = () => postern.sessions().filter(({ logged_in: in_ }) => in_ === true);
    await eventually("each session has its line in the log", () => ended().length >= logins);
    const longest = performance.now() / 1000;
    for (const { session_time: time } of ended()) {
      assert.ok(typeof time === "number" && time >= 0 && time <= longest, String(time));
    }
    const jumps = ended().map(({ time }) =>
      Math.round((Date.parse(String(time)) - Date.now()) / 1000 / DAY),
    );
    assert.deepEqual(new Set(jumps), new Set([1, -1]), "the clock has not jumped");
    assert.equal(postern.proxy.program.stderr.includes("timed out"), false);
  },
);
