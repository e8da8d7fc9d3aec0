/** Certificates and keys that a worker asks the primary for when a client first names their host. */
import type { KeyPair } from "../config/index.ts";

type Pairs = readonly KeyPair[] | null;

/** The message by which a worker asks its primary. */
interface PairsRequest {
  readonly kind: "pairs";
  readonly material: number;
  readonly id: string;
}

export class RemotePairs {
  readonly #tell: (request: PairsRequest) => void;
  readonly #waiting = new Map<string, PromiseWithResolvers<Pairs>>();

  constructor(tell: (request: PairsRequest) => void) {
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
