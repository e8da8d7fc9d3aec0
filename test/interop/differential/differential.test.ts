// Sends the same bytes to stock nginx and to Postern, with the same upstream and lookup endpoint behind them. Both must
// answer with the same bytes and send the same bytes to the backends, except for the known differences.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { lacking } from "../../support/programs/requirements.ts";
import { Backends } from "./backends.ts";
import { compare } from "./comparison.ts";
import { knownDifferences } from "./known-differences/index.ts";
import { play } from "./play.ts";
import { ComparedProxy } from "./compared-proxy.ts";
import { topics } from "./topics/index.ts";

const skip = lacking("nginx");
const names = topics.flatMap(({ name, scripts }) => scripts.map((each) => `${name}: ${each.name}`));

test("script names are unique, and every known difference names a script", () => {
  assert.deepEqual(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  );
  for (const { reason, scripts } of knownDifferences) {
    assert.ok(scripts === undefined || names.some((name) => scripts.test(name)), reason);
  }
});

/** Sessions at once for each of six topics, and for each proxy. */
const concurrency = 8;

describe("Postern answers as nginx does", { skip, concurrency: 6 }, () => {
  const started = new AsyncDisposableStack();
  const backends = new Backends();
  let nginx: ComparedProxy;
  let postern: ComparedProxy;
  before(async () => {
    started.defer(() => backends.close());
    await backends.open();
    const specs = topics.flatMap(({ scripts }) => scripts.map(({ server }) => server));
    nginx = started.use(await ComparedProxy.nginx(specs, backends));
    postern = started.use(await ComparedProxy.postern(specs, backends));
  });
  after(() => started.disposeAsync());

  for (const { name: topic, scripts } of topics) {
    describe(topic, { concurrency }, () => {
      for (const script of scripts) {
        test(script.name, async () => {
          const [theirs, ours] = await Promise.all([
            play(script, nginx, backends),
            play(script, postern, backends),
          ]);
          compare(`${topic}: ${script.name}`, theirs, ours);
        });
      }
    });
  }
});
