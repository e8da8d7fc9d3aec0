import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Server } from "../../../worker/directory/users.ts";
import { POLICIES } from "../../../worker/lookup/policies.ts";

const { weighted } = POLICIES;

const server = (name: string, weight: number): Server => ({
  name,
  weight,
  group: "mail",
  host: "192.0.2.1",
  imapPort: 143,
  pop3Port: null,
  smtpPort: null,
  state: "up",
});

test("each server gets exactly its weight's share of the range of chances", () => {
  const servers = [server("a", 1), server("b", 7), server("c", 2)];
  const counts: Record<string, number> = {};
  for (let n = 0; n < 1000; n++) {
    const { name } = weighted(servers, n / 1000)!;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  assert.deepEqual(counts, { a: 100, b: 700, c: 200 });
});

test("some server is chosen whatever the weights and the chance", () => {
  const servers = fc
    .array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1 })
    .map((weights) => weights.map((weight, index) => server(String(index), weight)));
  fc.assert(
    fc.property(
      servers,
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (all, random) => {
        assert.ok(weighted(all, random) !== undefined);
      },
    ),
  );
});

test("of no servers none is chosen", () => {
  assert.equal(weighted([], 0.5), undefined);
});
