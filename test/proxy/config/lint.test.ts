// What nginx takes without a word, though it is hardly meant.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { configure } from "../../support/configuration.ts";

/** Of a server that begins in line 3, their paths made short. */
function warnings(inServer: string, inMail = ""): readonly string[] {
  const text = `mail {\nauth_http 127.0.0.1:9; ${inMail}\nserver {\n${inServer}\n}\n}`;
  return configure(text).warnings.map((warning) => warning.replace(/ in \/.*\//, " in /"));
}

describe("mail without a login whose upstream cannot tell clients from the proxy:", () => {
  const warning =
    '"smtp_auth none" without "xclient" or "proxy_protocol": the upstream takes every client for ' +
    "this proxy, and its rules for addresses (mynetworks) permit all or none in /main.conf:3";

  for (const [inServer, inMail] of [
    ["listen 25; smtp_auth none; xclient off;"],
    ["listen 1025; protocol smtp; smtp_auth plain none; xclient off; proxy_protocol off;"],
    ["listen 25;", "smtp_auth none; xclient off;"],
    ["listen 25; xclient off; proxy_protocol off;", "smtp_auth none; proxy_protocol on;"],
  ] as const) {
    test(`"${inServer}" is warned of, where mail says "${inMail ?? ""}"`, () => {
      assert.deepEqual(warnings(inServer, inMail), [warning]);
    });
  }

  for (const [inServer, inMail] of [
    ["listen 25; smtp_auth none;"],
    ["listen 25; smtp_auth none; xclient off; proxy_protocol on;"],
    ["listen 25; smtp_auth none; xclient off; proxy_protocol v2;"],
    ["listen 587; smtp_auth plain; xclient off;", "smtp_auth none;"],
    ["listen 587; xclient off;"],
    ["listen 143; xclient off;", "smtp_auth none;"],
  ] as const) {
    test(`"${inServer}" is not, where mail says "${inMail ?? ""}"`, () => {
      assert.deepEqual(warnings(inServer, inMail), []);
    });
  }

  test("each server is told of", () => {
    const server = "server { listen PORT; xclient off; }";
    const servers = [25, 587].map((port) => server.replace("PORT", `${port}`)).join("\n");
    const { warnings: all } = configure(`mail { auth_http h; smtp_auth none;\n${servers} }`);
    assert.deepEqual(
      all.map((each) => /\d+$/.exec(each)?.[0]),
      ["2", "3"],
    );
  });
});
