// The same bytes said to stock nginx and to Postern, with the same upstream and the same lookup endpoint
// behind them: the same bytes come back, and the same are heard behind them, but for what a script names.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { lacking } from "../../support/requirements.ts";
import { Backstage } from "./backends.ts";
import { compare } from "./comparison.ts";
import { knownDifferences } from "./known-differences/index.ts";
import { play } from "./play.ts";
import { Rival } from "./compared-proxy.ts";
import { topics } from "./topics/index.ts";

const skip = lacking("nginx");
const names = topics.flatMap(({ name, scripts }) => scripts.map((each) => `${name}: ${each.name}`));

test("every script has a name of its own, and shows what it is said to show", () => {
  assert.deepEqual(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  );
  for (const { reason, scripts } of knownDifferences) {
    assert.ok(scripts === undefined || names.some((name) => scripts.test(name)), reason);
  }
});

/** Sessions at once: this many for each of six topics, and for each rival. */
const concurrency = 8;

describe("Postern says what nginx says", { skip, concurrency: 6 }, () => {
  const backstage = new Backstage();
  let nginx: Rival;
  let postern: Rival;
  before(async () => {
    await backstage.open();
    const specs = topics.flatMap(({ scripts }) => scripts.map(({ server }) => server));
    [nginx, postern] = await Promise.all([
      Rival.nginx(specs, backstage),
      Rival.postern(specs, backstage),
    ]);
  });
  after(async () => {
    await Promise.all([nginx.stop(), postern.stop()]);
    await backstage.close();
  });

  for (const { name: topic, scripts } of topics) {
    describe(topic, { concurrency }, () => {
      for (const script of scripts) {
        test(script.name, async () => {
          const [theirs, ours] = await Promise.all([
            play(script, nginx, backstage),
            play(script, postern, backstage),
          ]);
          compare(`${topic}: ${script.name}`, theirs, ours);
        });
      }
    });
  }
});
