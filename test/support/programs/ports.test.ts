import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import { freePortRange, freePorts } from "./ports.ts";
import { Program } from "./program.ts";

test("processes that ask at the same time get different ports", async (t) => {
  const module = new URL("ports.ts", import.meta.url);
  const code = `
    import { freePorts } from "${module.href}";
    console.log((await freePorts(100)).join(" "));
    setInterval(() => {}, 1000);
  `;
  const programs = Array.from({ length: 4 }, () => {
    const program = new Program(process.execPath, ["--input-type=module", "-e", code]);
    t.after(() => program.stop());
    return program;
  });
  await Promise.all(programs.map((program) => program.says("\n")));
  const ports = programs.flatMap(({ stdout }) => stdout.trim().split(" "));
  assert.equal(ports.length, 400);
  assert.equal(new Set(ports).size, 400);
});

test("a port is given out once, and never while something listens on it", async () => {
  const ports = await freePorts(100);
  assert.equal(new Set(ports).size, 100);
  const first = await freePortRange(3);
  for (const port of [first, first + 1, first + 2]) {
    assert.ok(!ports.includes(port));
    await assert.rejects(once(connect(port, "127.0.0.1"), "connect"), { code: "ECONNREFUSED" });
  }
  assert.ok(!(await freePorts(100)).some((port) => port >= first && port < first + 3));
});

test("a server on any address of this machine keeps its port from being given out", async (t) => {
  const start = await freePortRange(1);
  const server = createServer().listen(start + 1, "127.0.0.9");
  t.after(() => server.close());
  await once(server, "listening");
  assert.ok(!(await freePorts(60)).includes(start + 1));
});
