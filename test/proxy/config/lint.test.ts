// Postern warns of combinations of directives that nginx accepts, but that operators hardly mean.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { configure } from "../../support/proxy/configuration.ts";

/** The warnings about a server that begins in line 3, with short paths. */
function warnings(inServer: string, inMail = ""): readonly string[] {
  const text = `mail {\nauth_http 127.0.0.1:9; ${inMail}\nserver {\n${inServer}\n}\n}`;
  return configure(text).warnings.map((warning) => warning.replace(/ in \/.*\//, " in /"));
}

describe("a server that takes mail without a login, and hides its clients from the upstream,", () => {
  const warning =
    '"smtp_auth none" without "xclient" or "proxy_protocol": the upstream sees this proxy as the client of ' +
    "every session, so its rules for client addresses (mynetworks) permit all clients or none in /main.conf:3";

  for (const [inServer, inMail] of [
    ["listen 25; smtp_auth none; xclient off;"],
    ["listen 1025; protocol smtp; smtp_auth plain none; xclient off; proxy_protocol off;"],
    ["listen 25;", "smtp_auth none; xclient off;"],
    ["listen 25; xclient off; proxy_protocol off;", "smtp_auth none; proxy_protocol on;"],
  ] as const) {
    test(`gets a warning: "${inServer}" in "mail { ${inMail ?? ""} }"`, () => {
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
    test(`is not "${inServer}" in "mail { ${inMail ?? ""} }"`, () => {
      assert.deepEqual(warnings(inServer, inMail), []);
    });
  }

  test("gets a warning of its own beside others", () => {
    const server = "server { listen PORT; xclient off; }";
    const servers = [25, 587].map((port) => server.replace("PORT", `${port}`)).join("\n");
    const { warnings: all } = configure(`mail { auth_http h; smtp_auth none;\n${servers} }`);
    assert.deepEqual(
      all.map((each) => /\d+$/.exec(each)?.[0]),
      ["2", "3"],
    );
  });
});
