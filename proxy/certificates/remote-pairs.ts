/** Certificates and keys that a worker asks the primary for when a client first names their host. */
import type { KeyPair } from "../config/index.ts";
import type { FromWorker } from "../process/ipc/messages.ts";

type Pairs = readonly KeyPair[] | null;

export class RemotePairs {
  readonly #tell: (message: FromWorker) => void;
  readonly #waiting = new Map<string, PromiseWithResolvers<Pairs>>();

  constructor(tell: (message: FromWorker) => void) {
    this.#tell = tell;
  }

  /** @returns null for what there is no longer */
  ask(material: number, id: string): Promise<Pairs> {
    const asked = this.#waiting.getOrInsertComputed(`${material} ${id}`, () => {
      this.#tell({ kind: "pairs", material, id });
      return Promise.withResolvers<Pairs>();
    });
    return asked.promise;
  }

  /** The primary has answered. */
  answered(material: number, id: string, pairs: Pairs): void {
    this.#waiting.get(`${material} ${id}`)?.resolve(pairs);
    this.#waiting.delete(`${material} ${id}`);
  }
}
