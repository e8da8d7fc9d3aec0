import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Deadlines } from "../../../proxy/transport/deadlines.ts";

/** The clock of the wheel, in ms; `pass` moves it. */
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

/** A deadline that records each firing, in ms after its creation. */
function recordingDeadline(wheel: Deadlines): {
  fired: number[];
  set(ms: number): void;
  clear(): void;
} {
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

test("a deadline fires once, at most 200 ms late", () => {
  for (const ms of [0, 1, 99, 100, 101, 1234, 60_000, 102_399, 102_400, 200_000]) {
    const one = recordingDeadline(new Deadlines());
    one.set(ms);
    pass(ms + 500);
    assert.equal(one.fired.length, 1, `${ms}`);
    between(one.fired[0], ms, ms + 200);
  }
});

test("a deadline that is moved later fires later", () => {
  const one = recordingDeadline(new Deadlines());
  one.set(1000);
  for (let count = 0; count < 20; count++) {
    pass(500);
    one.set(1000);
  }
  pass(3000);
  assert.equal(one.fired.length, 1);
  between(one.fired[0], 11_000, 11_200);
});

test("a deadline that is moved nearer fires sooner", () => {
  const one = recordingDeadline(new Deadlines());
  one.set(60_000);
  one.set(500);
  pass(100_000);
  assert.equal(one.fired.length, 1);
  between(one.fired[0], 500, 700);
});

test("a cleared deadline does not fire, and may be set again", () => {
  const one = recordingDeadline(new Deadlines());
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

test("a deadline of Infinity never fires, and may be moved nearer", () => {
  const one = recordingDeadline(new Deadlines());
  one.set(500);
  one.set(Number.POSITIVE_INFINITY);
  pass(300_000);
  assert.deepEqual(one.fired, []);
  one.set(500);
  pass(1000);
  assert.equal(one.fired.length, 1);
});

test("a deadline may set itself again when it fires", () => {
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

test("each of a thousand deadlines fires at its own time", () => {
  const wheel = new Deadlines();
  const deadlines = Array.from({ length: 1000 }, (_, index) => ({
    ms: (index * 137) % 150_000,
    one: recordingDeadline(wheel),
  }));
  for (const { ms, one } of deadlines) one.set(ms);
  for (const [index, { one }] of deadlines.entries()) if (index % 3 === 0) one.clear();
  pass(151_000);
  for (const [index, { ms, one }] of deadlines.entries()) {
    if (index % 3 === 0) assert.deepEqual(one.fired, []);
    else between(one.fired[0], ms, ms + 200);
  }
});

test("after a pause of the whole process, all deadlines that are due fire", () => {
  const wheel = new Deadlines();
  const deadlines = [100, 1000, 50_000, 400_000].map((ms) => ({
    ms,
    one: recordingDeadline(wheel),
  }));
  for (const { ms, one } of deadlines) one.set(ms);
  now += 300_000;
  pass(200);
  assert.deepEqual(
    deadlines.map(({ one }) => one.fired.length),
    [1, 1, 1, 0],
  );
  pass(150_000);
  assert.equal(deadlines[3]?.one.fired.length, 1);
});

test("no timer runs while no deadline is set", () => {
  const set = mock.method(globalThis, "setInterval");
  const clear = mock.method(globalThis, "clearInterval");
  const wheel = new Deadlines();
  const [one, other] = [recordingDeadline(wheel), recordingDeadline(wheel)];
  assert.equal(set.mock.callCount(), 0);
  one.set(1000);
  other.set(1000);
  assert.equal(set.mock.callCount(), 1);
  one.clear();
  assert.equal(clear.mock.callCount(), 0);
  other.clear();
  assert.equal(clear.mock.callCount(), 1);
});
