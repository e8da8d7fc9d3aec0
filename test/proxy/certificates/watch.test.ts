import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { RandomTicketKeys } from "../../../proxy/certificates/random-ticket-keys.ts";
import { CertificateWatch } from "../../../proxy/certificates/watch.ts";
import type { TicketKeys } from "../../../proxy/transport/index.ts";
import { issue } from "../../support/certificates/authority.ts";
import { CertificateFiles } from "../../support/certificates/certificate-folder.ts";
import { read } from "../../support/certificates/certificate-store.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Watches a certificate that expires after so many days. @returns a function that lets time pass and returns the log */
function watched(t: TestContext, days: number): (ms: number) => readonly string[] {
  const files = new CertificateFiles(t);
  const { certificate, key } = issue("/CN=a.test", { days });
  files.write("a.pem", certificate + key);
  const pair = "ssl_certificate a.pem; ssl_certificate_key a.pem;";
  const { certificates } = read(files, pair);
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.now() });
  const lines: string[] = [];
  const log = { write: (level: string, what: string) => void lines.push(`${level}: ${what}`) };
  const watch = new CertificateWatch(certificates, log, () => {});
  t.after(() => watch.close());
  return (ms) => {
    t.mock.timers.tick(ms);
    return lines.splice(0);
  };
}

test("a certificate that expires soon is warned of once a day", (t) => {
  const after = watched(t, 10);
  assert.deepEqual(after(HOUR), [], "loading the configuration has warned of it");
  assert.match(after(DAY).join("\n"), /^warn: certificate "\S+\/a\.pem" expires at \S+$/);
  assert.deepEqual(after(HOUR), []);
  assert.deepEqual(after(HOUR), []);
  assert.equal(after(DAY).length, 1);
  assert.match(after(10 * DAY).join("\n"), /^warn: certificate "\S+\/a\.pem" expired at \S+$/);
});

test("the first warning about a certificate comes 14 days before its expiry", (t) => {
  const after = watched(t, 16);
  assert.deepEqual(after(DAY), []);
  assert.equal(after(1.5 * DAY).length, 1);
  assert.deepEqual(after(HOUR), []);
});

test("two generations with the same settings both get a renewal, whichever polls first", (t) => {
  const files = new CertificateFiles(t);
  const renew = (): void => {
    const { certificate, key } = issue("/CN=a.test");
    files.write("a.pem", certificate + key);
  };
  renew();
  const pair = "ssl_certificate a.pem; ssl_certificate_key a.pem;";
  const { certificates } = read(files, pair);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const renewed: string[] = [];
  for (const name of ["old", "new"]) {
    const watch = new CertificateWatch(certificates, { write() {} }, () => renewed.push(name));
    t.after(() => watch.close());
  }
  renew();
  for (let poll = 0; poll < 3; poll++) t.mock.timers.tick(HOUR);
  assert.deepEqual(renewed.toSorted(), ["new", "old"]);
});

test("a watch that is closed polls no more", (t) => {
  const files = new CertificateFiles(t);
  const { certificate, key } = issue("/CN=a.test");
  files.write("a.pem", certificate + key);
  const { certificates } = read(files, "ssl_certificate a.pem; ssl_certificate_key a.pem;");
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const poll = t.mock.method(certificates, "poll");
  const watch = new CertificateWatch(certificates, { write() {} }, () => {});
  t.mock.timers.tick(HOUR);
  assert.equal(poll.mock.callCount(), 1);
  watch.close();
  t.mock.timers.tick(HOUR);
  assert.equal(poll.mock.callCount(), 1);
});

test("random ticket keys are replaced every 12 hours, and the key before stays valid", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const replacements: TicketKeys[] = [];
  const keys = new RandomTicketKeys((all) => replacements.push(all));
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
  assert.deepEqual(replacements, [[second, first], keys.current]);
});
