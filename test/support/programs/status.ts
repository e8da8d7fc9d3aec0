// Reads the pages of `status_listen` as a monitoring system does.
import assert from "node:assert/strict";
import { eventually } from "../eventually.ts";
import { assertTellsNoSecret } from "../secrets.ts";

export type Sample = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
};

/** The code of a page, by its path. */
export async function codeOf(port: number, path: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    headers: { Connection: "close" },
  });
  await response.arrayBuffer();
  return response.status;
}

/** Reads `/metrics`, and asserts that each line is in the text format of Prometheus. */
export async function scrape(port: number): Promise<Sample[]> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, {
    headers: { Connection: "close" },
  });
  assert.equal(response.status, 200);
  assert.match(response.headers.get("Content-Type") ?? "", /^text\/plain; version=0\.0\.4/);
  const text = await response.text();
  assertTellsNoSecret("/metrics", text);
  return parseMetrics(text);
}

export function parseMetrics(text: string): Sample[] {
  assert.ok(text.endsWith("\n"));
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, name, labels = "", value] =
        /^([a-z_][a-z0-9_]*)(?:\{(.*)\})? ([-+]?[\d.e+-]+|[+-]Inf|NaN)$/.exec(line) ?? [];
      assert.ok(name !== undefined && value !== undefined, line);
      const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"(?:,|$)/g)];
      return {
        name,
        labels: Object.fromEntries(pairs.map(([, label = "", of = ""]) => [label, of])),
        value: Number(value.replace("Inf", "Infinity")),
      };
    });
}

/** The sum of what has this name and these labels. */
export function total(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const found = samples.filter(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  return found.reduce((sum, { value }) => sum + value, 0);
}

/** Scrapes until it is so, and returns what then was told. */
export async function scrapeUntil(
  port: number,
  so: (samples: readonly Sample[]) => boolean,
): Promise<Sample[]> {
  return eventually("/metrics is as awaited", async () => {
    const samples = await scrape(port);
    return so(samples) && samples;
  });
}
