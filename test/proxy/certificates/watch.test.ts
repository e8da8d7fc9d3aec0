import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { readConfiguration } from "../../../proxy/config/index.ts";
import { KeyWatch } from "../../../proxy/certificates/watch.ts";
import { OwnTicketKeys } from "../../../proxy/certificates/tickets.ts";
import type { TicketKeys } from "../../../proxy/transport/index.ts";
import { issue } from "../../support/authority.ts";
import { CertificateFiles } from "../../support/certificate-folder.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A certificate with so many days to live, watched; and a way to let time pass and hear what is said. */
function watched(t: TestContext, days: number): (ms: number) => readonly string[] {
  const files = new CertificateFiles(t);
  const { certificate, key } = issue("/CN=a.test", { days });
  files.write("a.pem", certificate + key);
  const pair = "ssl_certificate a.pem; ssl_certificate_key a.pem;";
  files.write("conf", `mail { auth_http h; server { listen 143; starttls on; ${pair} } }`);
  const source = { file: "conf", prefix: files.path, globals: "", errorLog: null };
  const { keyMaterials } = readConfiguration(source).settings;
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.now() });
  const said: string[] = [];
  const log = { write: (level: string, what: string) => void said.push(`${level}: ${what}`) };
  const watch = new KeyWatch(keyMaterials, log, () => {});
  t.after(() => watch.close());
  return (ms) => {
    t.mock.timers.tick(ms);
    return said.splice(0);
  };
}

test("a certificate that expires soon is warned of once a day", (t) => {
  const after = watched(t, 10);
  assert.deepEqual(after(HOUR), [], "the configuration's reader has said it");
  assert.match(after(DAY).join("\n"), /^warn: certificate "\S+\/a\.pem" expires at \S+$/);
  assert.deepEqual(after(HOUR), []);
  assert.deepEqual(after(HOUR), []);
  assert.equal(after(DAY).length, 1);
  assert.match(after(10 * DAY).join("\n"), /^warn: certificate "\S+\/a\.pem" expired at \S+$/);
});

test("a certificate that lives on is first warned of 14 days before its end", (t) => {
  const after = watched(t, 16);
  assert.deepEqual(after(DAY), []);
  assert.equal(after(1.5 * DAY).length, 1);
  assert.deepEqual(after(HOUR), []);
});

test("two generations with the same settings both hear of a renewal, whoever looks first", (t) => {
  const files = new CertificateFiles(t);
  const renew = (): void => {
    const { certificate, key } = issue("/CN=a.test");
    files.write("a.pem", certificate + key);
  };
  renew();
  const pair = "ssl_certificate a.pem; ssl_certificate_key a.pem;";
  files.write("conf", `mail { auth_http h; server { listen 143; starttls on; ${pair} } }`);
  const source = { file: "conf", prefix: files.path, globals: "", errorLog: null };
  const { keyMaterials } = readConfiguration(source).settings;
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const told: string[] = [];
  for (const name of ["old", "new"]) {
    const watch = new KeyWatch(keyMaterials, { write() {} }, () => told.push(name));
    t.after(() => watch.close());
  }
  renew();
  for (let look = 0; look < 3; look++) t.mock.timers.tick(HOUR);
  assert.deepEqual(told.toSorted(), ["new", "old"]);
});

test("a watch that is closed says nothing more", (t) => {
  const files = new CertificateFiles(t);
  files.write("conf", "mail { auth_http h; server { listen 143; } }");
  const source = { file: "conf", prefix: files.path, globals: "", errorLog: null };
  const { keyMaterials } = readConfiguration(source).settings;
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const look = t.mock.method(keyMaterials, "look");
  const watch = new KeyWatch(keyMaterials, { write() {} }, () => {});
  t.mock.timers.tick(HOUR);
  assert.equal(look.mock.callCount(), 1);
  watch.close();
  t.mock.timers.tick(HOUR);
  assert.equal(look.mock.callCount(), 1);
});

test("ticket keys of our own are new every 12 hours, beside the one before", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const told: TicketKeys[] = [];
  const keys = new OwnTicketKeys((all) => told.push(all));
  const [first] = keys.current;
  assert.equal(first.length, 48);
  t.mock.timers.tick(11 * HOUR);
  assert.deepEqual(keys.current, [first]);
  t.mock.timers.tick(HOUR);
  const [second] = keys.current;
  assert.deepEqual(keys.current, [second, first]);
  assert.notDeepEqual(second, first);
  t.mock.timers.tick(12 * HOUR);
  assert.deepEqual(keys.current.slice(1), [second]);
  assert.deepEqual(told, [[second, first], keys.current]);
});
