// The lock file fixes each package by its content, the SBOM lists what the proxy runs on, and Node is the one recorded.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { test } from "node:test";
import { ROOT, lockFile, manifest, production } from "./lock-file.ts";
import { makeSbom } from "./sbom.ts";

const locked = Object.entries(lockFile.packages).filter(([path]) => path !== "");

test("each dependency has an exact version, and the lock file has the digest of each package", () => {
  for (const version of Object.values({ ...manifest.dependencies, ...manifest.devDependencies })) {
    assert.match(version, /^\d+\.\d+\.\d+$/);
  }
  assert.ok(locked.length > 100);
  // A package that is inside another's archive has no digest of its own.
  const bundled = (path: string): boolean => path.split("node_modules/").length > 3;
  const loose = locked.filter(([path, { integrity = "" }]) => {
    return !integrity.startsWith("sha512-") && !bundled(path);
  });
  assert.deepEqual(loose, []);
});

test("the SBOM lists each production dependency with its version and digest, and no other", async () => {
  const { components, bomFormat } = JSON.parse(await makeSbom()) as {
    readonly bomFormat: string;
    readonly components: readonly { name: string; version: string; hashes: readonly unknown[] }[];
  };
  assert.equal(bomFormat, "CycloneDX");
  const expected = production.map(([path, { version }]) => {
    return `${path.replace(/^.*node_modules\//, "")} ${version}`;
  });
  const listed = components.map(({ name, version }) => `${name} ${version}`);
  assert.deepEqual(listed.toSorted(), expected.toSorted());
  for (const name of Object.keys(manifest.dependencies)) {
    assert.ok(
      listed.some((one) => one.startsWith(`${name} `)),
      name,
    );
  }
  for (const { name, hashes } of components) assert.ok(hashes.length > 0, name);
});

/** The digests of Node's program, by platform. */
const digests = new Map(
  readFileSync(new URL("proxy/deploy/node.sha256", ROOT), "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split("  ").toReversed() as [string, string]),
);

test("the digests of Node are for the version of package.json", () => {
  const version = manifest.dependencies["node"];
  assert.deepEqual(
    [...digests.keys()],
    ["x64", "arm64"].map((arch) => `node-linux-${arch}-${version}`),
  );
});

// The package `node` installs the program by a script, which the lock file does not cover.
test("the installed Node is the one whose digest is recorded", async (t) => {
  const version = manifest.dependencies["node"];
  const expected = digests.get(`node-${process.platform}-${process.arch}-${version}`);
  if (expected === undefined) return t.skip(`no digest for ${process.platform} ${process.arch}`);
  const program = new URL("node_modules/node/bin/node", ROOT);
  const hash = createHash("sha256");
  await pipeline(createReadStream(await realpath(program)), hash);
  assert.equal(hash.digest("hex"), expected);
});
