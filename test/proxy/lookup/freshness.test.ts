import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFreshness } from "../../../proxy/lookup/freshness.ts";
import { HeadReader } from "../../../proxy/lookup/reply.ts";
import { Input } from "../../../proxy/transport/index.ts";
import { inputs } from "../../support/property.ts";

const HEADERS: Record<string, [maxAge: number, staleIfError: number] | null> = {
  "private, max-age=30, stale-if-error=600": [30, 600],
  "max-age=30": [30, 0],
  "MAX-AGE=30 ,\tStale-If-Error=600": [30, 600],
  'max-age="30", private="Set-Cookie"': [30, 0],
  ", max-age=30,,": [30, 0],
  "max-age=0, stale-if-error=600": [0, 600],
  "max-age=30, stale-if-error=600, must-revalidate": [30, 0],
  "max-age=30, stale-if-error=x": [30, 0],
  "max-age=0": null,
  "": null,
  private: null,
  "stale-if-error=600": null,
  "max-age=30, no-store": null,
  "no-cache, max-age=30": null,
  'no-cache="Auth-Pass", max-age=30': null,
  "max-age": null,
  "max-age=": null,
  "max-age=-1": null,
  "max-age=3e9": null,
  "max-age=9999999999": null,
  "max-age=30, max-age=60": null,
  "max-age = 30": null,
  "max-age=30; no-store": null,
};

for (const [header, expected] of Object.entries(HEADERS)) {
  const [maxAge, staleIfError] = expected ?? [];
  test(`Cache-Control "${header}" ${expected === null ? "forbids the cache" : `allows the cache ${expected.join("+")} s`}`, () => {
    assert.deepEqual(readFreshness(header), expected === null ? null : { maxAge, staleIfError });
  });
}

test("a repeated Cache-Control header is one list", () => {
  const input = new Input();
  const lines = ["Auth-Status: OK", "Auth-Server: 192.0.2.1", "Auth-Port: 143"];
  const reply = [
    "HTTP/1.1 200 OK",
    "Cache-Control: no-store",
    ...lines,
    "Cache-Control: max-age=9",
  ];
  input.append(Buffer.from(`${reply.join("\r\n")}\r\n\r\n`));
  const answer = new HeadReader(false).next(input)?.reply;
  assert.ok(answer?.kind === "route");
  assert.equal(answer.freshness, null);
});

test("property: any header gives whole seconds or no freshness", () => {
  const part = fc.constantFrom(
    "max-age",
    "stale-if-error",
    "=",
    ",",
    " ",
    '"',
    "3",
    "no-store",
    "\\",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(part, fc.string({ maxLength: 3 }))), (parts) => {
      const freshness = readFreshness(parts.join(""));
      for (const seconds of Object.values(freshness ?? {}))
        assert.ok(Number.isSafeInteger(seconds));
    }),
    inputs(),
  );
});
