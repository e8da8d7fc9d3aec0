/**
 * Counts what Postern allocates: loaded into its process with `--import`, and asked by messages. A message
 * `begin` is answered once counting has begun, `end` with the counts since.
 */
import { Session } from "node:inspector";
import { promiseHooks } from "node:v8";

export interface Allocations {
  readonly promises: number;
  /** Bytes of all objects, V8's and Node's included. */
  readonly bytes: number;
  /** Objects but numbers, by the function that has allocated them: "name file:line". */
  readonly objects: Readonly<Record<string, number>>;
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
  readonly children: readonly ProfileNode[];
}

interface Profile {
  readonly head: ProfileNode;
  readonly samples: readonly { readonly nodeId: number; readonly size: number }[];
}

/** A number that is no small integer is an object of this size, and no other object is as small. */
const NUMBER_SIZE = 16;

/** Bytes between samples: one means all objects. */
const EVERY_OBJECT = {
  samplingInterval: 1,
  includeObjectsCollectedByMajorGC: true,
  includeObjectsCollectedByMinorGC: true,
};

const inspector = new Session();
inspector.connect();
let promises = 0;
let stopCounting = (): void => {};

process.on("message", (message) => {
  if (message === "begin") begin();
  else if (message === "end") end();
});

function begin(): void {
  promises = 0;
  stopCounting = promiseHooks.onInit(() => void promises++) as () => void;
  inspector.post("HeapProfiler.startSampling", EVERY_OBJECT, () => process.send?.("begun"));
}

function end(): void {
  stopCounting();
  const counted = promises;
  inspector.post("HeapProfiler.stopSampling", (error, result) => {
    if (error !== null) throw error;
    process.send?.(
      allocations(counted, (result as unknown as { readonly profile: Profile }).profile),
    );
  });
}

function allocations(counted: number, { head, samples }: Profile): Allocations {
  const names = new Map<number, string>();
  const nodes = [head];
  for (const { id, callFrame, children } of nodes) {
    nodes.push(...children);
    const { functionName, url, lineNumber } = callFrame;
    const at = url.indexOf("/proxy/");
    names.set(id, `${functionName} ${at === -1 ? url : url.slice(at + 1)}:${lineNumber + 1}`);
  }
  const objects: Record<string, number> = {};
  let bytes = 0;
  for (const { nodeId, size } of samples) {
    bytes += size;
    if (size <= NUMBER_SIZE) continue;
    const name = names.get(nodeId) ?? "";
    objects[name] = (objects[name] ?? 0) + 1;
  }
  return { promises: counted, bytes, objects };
}
