import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Deadlines } from "../../../proxy/transport/deadlines.ts";

/** Time as the wheel sees it, moved by hand. */
let now = 0;
beforeEach(() => {
  now = 5000;
  mock.method(performance, "now", () => now);
  mock.timers.enable({ apis: ["setInterval"] });
});
afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

function pass(ms: number): void {
  for (let left = ms; left > 0; left -= 10) {
    now += 10;
    mock.timers.tick(10);
  }
}

/** A limit that notes when it fires, ms after the start. */
function limit(wheel: Deadlines): { fired: number[]; set(ms: number): void; clear(): void } {
  const fired: number[] = [];
  const start = now;
  const deadline = wheel.deadline({ expired: () => fired.push(now - start) });
  return { fired, set: (ms) => deadline.set(ms), clear: () => deadline.clear() };
}

function between(value: number | undefined, from: number, to: number): void {
  assert.ok(
    value !== undefined && value >= from && value <= to,
    `${value} is not in ${from}-${to}`,
  );
}

test("a limit fires once, when its time has come or little later", () => {
  for (const ms of [0, 1, 99, 100, 101, 1234, 60_000, 102_399, 102_400, 200_000]) {
    const one = limit(new Deadlines());
    one.set(ms);
    pass(ms + 500);
    assert.equal(one.fired.length, 1, `${ms}`);
    between(one.fired[0], ms, ms + 200);
  }
});

test("a limit that is moved later fires later", () => {
  const one = limit(new Deadlines());
  one.set(1000);
  for (let count = 0; count < 20; count++) {
    pass(500);
    one.set(1000);
  }
  pass(3000);
  assert.equal(one.fired.length, 1);
  between(one.fired[0], 11_000, 11_200);
});

test("a limit that is moved nearer fires sooner", () => {
  const one = limit(new Deadlines());
  one.set(60_000);
  one.set(500);
  pass(100_000);
  assert.equal(one.fired.length, 1);
  between(one.fired[0], 500, 700);
});

test("a limit that is cleared does not fire, and may be set again", () => {
  const one = limit(new Deadlines());
  one.set(500);
  pass(300);
  one.clear();
  one.clear();
  pass(1000);
  assert.deepEqual(one.fired, []);
  one.set(500);
  pass(1000);
  between(one.fired[0], 1800, 2000);
});

test("a limit of Infinity never fires, and may be moved nearer", () => {
  const one = limit(new Deadlines());
  one.set(500);
  one.set(Number.POSITIVE_INFINITY);
  pass(300_000);
  assert.deepEqual(one.fired, []);
  one.set(500);
  pass(1000);
  assert.equal(one.fired.length, 1);
});

test("a limit that fires may set itself again at once", () => {
  const wheel = new Deadlines();
  const fired: number[] = [];
  const deadline = wheel.deadline({
    expired() {
      fired.push(now);
      if (fired.length < 5) deadline.set(1000);
    },
  });
  deadline.set(1000);
  pass(10_000);
  assert.equal(fired.length, 5);
});

test("a thousand limits fire each in its time, whatever the others do", () => {
  const wheel = new Deadlines();
  const limits = Array.from({ length: 1000 }, (_, index) => ({
    ms: (index * 137) % 150_000,
    one: limit(wheel),
  }));
  for (const { ms, one } of limits) one.set(ms);
  for (const [index, { one }] of limits.entries()) if (index % 3 === 0) one.clear();
  pass(151_000);
  for (const [index, { ms, one }] of limits.entries()) {
    if (index % 3 === 0) assert.deepEqual(one.fired, []);
    else between(one.fired[0], ms, ms + 200);
  }
});

test("after a pause of the whole process all that is due fires", () => {
  const wheel = new Deadlines();
  const limits = [100, 1000, 50_000, 400_000].map((ms) => ({ ms, one: limit(wheel) }));
  for (const { ms, one } of limits) one.set(ms);
  now += 300_000;
  pass(200);
  assert.deepEqual(
    limits.map(({ one }) => one.fired.length),
    [1, 1, 1, 0],
  );
  pass(150_000);
  assert.equal(limits[3]?.one.fired.length, 1);
});

test("no timer runs while no limit is set", () => {
  const set = mock.method(globalThis, "setInterval");
  const clear = mock.method(globalThis, "clearInterval");
  const wheel = new Deadlines();
  const [one, other] = [limit(wheel), limit(wheel)];
  assert.equal(set.mock.callCount(), 0);
  one.set(1000);
  other.set(1000);
  assert.equal(set.mock.callCount(), 1);
  one.clear();
  assert.equal(clear.mock.callCount(), 0);
  other.clear();
  assert.equal(clear.mock.callCount(), 1);
});
