// Cuts the bytes of scripts at random: Postern's answers do not depend on where segments end.
import fc from "fast-check";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Backends } from "./backends.ts";
import { inSegments, isDivisible } from "./segmentation.ts";
import { lines } from "./client.ts";
import { GOODBYE, play } from "./play.ts";
import { ComparedProxy } from "./compared-proxy.ts";
import type { Script } from "./script.ts";
import { topics } from "./topics/index.ts";
import type { Transcript } from "./transcript.ts";
import { inputs } from "../../support/property.ts";

const scripts = topics
  .flatMap((topic) => topic.scripts)
  .filter((script) => isDivisible(script) && !isSlow(script));

const started = new AsyncDisposableStack();
const backends = new Backends();
let postern: ComparedProxy;
before(async () => {
  started.defer(() => backends.close());
  await backends.open();
  const servers = scripts.map(({ server }) => server);
  postern = started.use(await ComparedProxy.postern(servers, backends));
});
after(() => started.disposeAsync());

/** True for scripts that wait for time to pass, which takes too long for hundreds of runs. */
function isSlow({ server, lookup = [], upstream }: Script): boolean {
  const waits = lookup.some((answer) => answer === "" || answer.includes("Auth-Wait"));
  return waits || /\btimeout|greeting_delay/.test(server.directives) || upstream !== undefined;
}

/** The transcript without the client's lines, which stand elsewhere when they come in other segments. */
function heard({ client, ...rest }: Transcript): Transcript {
  return { ...rest, client: client.filter((line) => !line.startsWith("> ")) };
}

/** True where the server closed before it answered the goodbye of the client. */
function endedEarly({ client }: Transcript): boolean {
  return client.at(-2)?.startsWith("< ") !== true || !client.some((line) => goodbyes.has(line));
}

const goodbyes = new Set(Object.values(GOODBYE).flatMap((words) => lines("> ", words)));

/** A client that still sends when the server closes may lose the last lines of the server. */
function assertSame(cut: Transcript, whole: Transcript): void {
  const [ours, expected] = [heard(cut), heard(whole)];
  assert.deepEqual(ours.lookups, expected.lookups);
  if (endedEarly(whole)) {
    const words = ours.client.filter((line) => line !== "(closed)");
    assert.deepEqual(words, expected.client.slice(0, words.length));
  } else assert.deepEqual(ours, expected);
}

const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

test("Postern answers a script in segments of any size as it answers it line by line", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...scripts), cuts, async (script, ends) => {
      const [whole, cut] = await Promise.all([
        play(script, postern, backends),
        play(inSegments(script, ends), postern, backends),
      ]);
      assertSame(cut, whole);
    }),
    inputs(20),
  );
});

test("Postern answers a script that comes a byte at a time as it answers it line by line", async () => {
  const every = Array.from({ length: 400 }, (_, index) => index / 400);
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...scripts), async (script) => {
      const [whole, cut] = await Promise.all([
        play(script, postern, backends),
        play(inSegments(script, every), postern, backends),
      ]);
      assertSame(cut, whole);
    }),
    inputs(200),
  );
});
