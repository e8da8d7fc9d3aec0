import assert from "node:assert/strict";
import { test } from "node:test";
import { UserVersions } from "../../../proxy/revocation/user-versions.ts";

/** @param most users that are kept */
function versions(most = 10) {
  const dropped: string[] = [];
  return { dropped, known: new UserVersions([], (bookmark) => dropped.push(bookmark), most) };
}

test("the newest version of a user counts, in whatever order kicks and replies come", () => {
  const { known } = versions();
  known.heard({ id: "a", version: 2 });
  assert.deepEqual(known.get("a"), { version: 2, bookmark: null });
  known.kicked({ id: "a", version: 4 }, "b4");
  known.heard({ id: "a", version: 3 });
  known.kicked({ id: "a", version: 1 }, "b1");
  assert.deepEqual(known.get("a"), { version: 4, bookmark: "b4" });
});

test("a newer version of a reply keeps the bookmark of the last kick, and gets one from a kick that comes late", () => {
  const { known } = versions();
  known.kicked({ id: "a", version: 4 }, "b4");
  known.heard({ id: "a", version: 6 });
  assert.deepEqual(known.get("a"), { version: 6, bookmark: "b4" });
  known.kicked({ id: "a", version: 6 }, "b6");
  assert.deepEqual(known.get("a"), { version: 6, bookmark: "b6" });
  known.heard({ id: "b", version: 9 });
  known.kicked({ id: "b", version: 8 }, "b8");
  assert.deepEqual(known.get("b"), { version: 9, bookmark: "b8" });
});

test("without room the user heard of least recently is dropped, and the bookmark of a kick is told", () => {
  const { known, dropped } = versions(2);
  known.kicked({ id: "a", version: 1 }, "b1");
  known.kicked({ id: "b", version: 1 }, "b2");
  known.heard({ id: "a", version: 1 });
  known.heard({ id: "c", version: 1 });
  assert.equal(known.get("b"), undefined);
  assert.deepEqual(known.get("a"), { version: 1, bookmark: "b1" });
  assert.deepEqual(dropped, ["b2"]);
  known.heard({ id: "d", version: 1 });
  known.heard({ id: "e", version: 1 });
  assert.deepEqual(dropped, ["b2", "b1"]);
  assert.equal(known.all.size, 2);
});

test("after any number of users the ones heard of last are known", () => {
  const { known, dropped } = versions(100);
  let expected: string[] = [];
  for (let turn = 0; turn < 20_000; turn++) {
    // Some users come again soon, some late, and most never.
    const id = String(turn % 3 === 0 ? turn - (turn % 7) * 20 : turn);
    if (turn % 5 === 0) known.kicked({ id, version: turn + 1 }, id);
    else known.heard({ id, version: turn + 1 });
    expected = [...expected.filter((other) => other !== id), id].slice(-100);
    if (turn % 1000 === 0) assert.deepEqual([...known.all.keys()], expected);
  }
  assert.deepEqual([...known.all.keys()], expected);
  assert.ok(dropped.length > 1000);
});
