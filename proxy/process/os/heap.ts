/** Memory that the start has used is given back to the system: some 7 MB of each process. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

interface Collection {
  readonly type: "major";
  readonly execution: "sync";
  readonly flavor: "last-resort";
}

/** ms after the start, when nothing waits for this process. */
const REST = 1000;

/** @param isIdle tells, when the time has come, whether a pause of some 30 ms disturbs no session */
export function compactHeapAtRest(isIdle: () => boolean): void {
  setTimeout(() => {
    if (isIdle()) compactHeap();
  }, REST).unref();
}

/** V8 shrinks the young generation only in its most thorough collection, and does not come to that by itself. */
function compactHeap(): void {
  setFlagsFromString("--expose-gc");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what V8 documents of `gc`
  const collect = runInNewContext("gc") as (collection: Collection) => void;
  // The compile cache is for processes with these flags alone.
  setFlagsFromString("--no-expose-gc");
  collect({ type: "major", execution: "sync", flavor: "last-resort" });
}
