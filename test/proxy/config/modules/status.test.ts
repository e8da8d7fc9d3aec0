import assert from "node:assert/strict";
import { test } from "node:test";
import { configure, mailBlock, mistake } from "../../../support/proxy/configuration.ts";

test("status_listen has an address and a port, as listen has", () => {
  const at = (text: string): string => {
    const listen = configure(mailBlock("", `status_listen ${text};`)).status_listen;
    return `${listen?.host} ${listen?.port}`;
  };
  assert.equal(at("127.0.0.1:9100"), "127.0.0.1 9100");
  assert.equal(at("9100"), "0.0.0.0 9100");
  assert.equal(at("[::1]:9100"), "::1 9100");
  assert.equal(at("unix:/run/postern.sock"), "unix:/run/postern.sock 0");
});

test("status_listen stands once in the mail block, with one port that nothing else uses", () => {
  const said = (mail: string, server = ""): string => mistake(mailBlock(server, mail));
  assert.match(said("", "status_listen 1;"), /"status_listen" directive is not allowed here/);
  assert.match(said("status_listen 1; status_listen 2;"), /directive is duplicate/);
  assert.match(said("status_listen 1 ssl;"), /invalid number of arguments/);
  assert.match(said("status_listen 1-3;"), /"status_listen" takes one port/);
  assert.match(said("status_listen 99999;"), /invalid port in "99999" of the "status_listen"/);
  assert.match(said("status_listen 143;"), /duplicate "0\.0\.0\.0:143" address and port pair/);
});
