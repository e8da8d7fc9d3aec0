// However a client's bytes are cut, and however much of them comes at once, Postern's answers are the same.
import fc from "fast-check";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Backstage } from "./backends.ts";
import { inPieces, isDivisible } from "./segmentation.ts";
import { lines } from "./client.ts";
import { GOODBYE, play } from "./play.ts";
import { Rival } from "./compared-proxy.ts";
import type { Script } from "./script.ts";
import { topics } from "./topics/index.ts";
import type { Transcript } from "./transcript.ts";

const scripts = topics
  .flatMap((topic) => topic.scripts)
  .filter((script) => isDivisible(script) && !isSlow(script));

const backstage = new Backstage();
let postern: Rival;
before(async () => {
  await backstage.open();
  postern = await Rival.postern(
    scripts.map(({ server }) => server),
    backstage,
  );
});
after(async () => {
  try {
    await postern.stop();
  } finally {
    await backstage.close();
  }
});

/** Some scripts wait for time to pass, of which a property has none. */
function isSlow({ server, lookup = [], upstream }: Script): boolean {
  const waits = lookup.some((answer) => answer === "" || answer.includes("Auth-Wait"));
  return waits || /\btimeout|greeting_delay/.test(server.directives) || upstream !== undefined;
}

/** What the server did: the client's own words stand in other places when they come in other pieces. */
function heard({ client, ...rest }: Transcript): Transcript {
  return { ...rest, client: client.filter((line) => !line.startsWith("> ")) };
}

/** Whether the server closed before the client had said goodbye, or as it did. */
function endedEarly({ client }: Transcript): boolean {
  return client.at(-2)?.startsWith("< ") !== true || !client.some((line) => goodbyes.has(line));
}

const goodbyes = new Set(Object.values(GOODBYE).flatMap((words) => lines("> ", words)));

/** A client that is still talking when the server closes may lose the server's last words on the way. */
function assertSame(cut: Transcript, whole: Transcript): void {
  const [ours, expected] = [heard(cut), heard(whole)];
  assert.deepEqual(ours.lookups, expected.lookups);
  if (endedEarly(whole)) {
    const words = ours.client.filter((line) => line !== "(closed)");
    assert.deepEqual(words, expected.client.slice(0, words.length));
  } else assert.deepEqual(ours, expected);
}

const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

test("Postern answers a script in any pieces as it answers it line by line", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...scripts), cuts, async (script, places) => {
      const [whole, cut] = await Promise.all([
        play(script, postern, backstage),
        play(inPieces(script, places), postern, backstage),
      ]);
      assertSame(cut, whole);
    }),
    { numRuns: 500 },
  );
});

test("and a byte at a time", async () => {
  const every = Array.from({ length: 400 }, (_, index) => index / 400);
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...scripts), async (script) => {
      const [whole, cut] = await Promise.all([
        play(script, postern, backstage),
        play(inPieces(script, every), postern, backstage),
      ]);
      assertSame(cut, whole);
    }),
    { numRuns: 50 },
  );
});
