/** Certificates that a worker asks the primary process for when a client first names their host. */
import type { KeyPair } from "../transport/index.ts";

type Pairs = readonly KeyPair[] | null;

interface PairsRequest {
  readonly kind: "pairs";
  readonly server: number;
  readonly id: string;
}

export class RemotePairs {
  readonly #send: (request: PairsRequest) => void;
  readonly #waiting = new Map<string, PromiseWithResolvers<Pairs>>();

  constructor(send: (request: PairsRequest) => void) {
    this.#send = send;
  }

  /** @returns null if no name has that id any more */
  ask(server: number, id: string): Promise<Pairs> {
    const waiting = this.#waiting.getOrInsertComputed(`${server} ${id}`, () => {
      this.#send({ kind: "pairs", server, id });
      return Promise.withResolvers<Pairs>();
    });
    return waiting.promise;
  }

  /** Takes the answer of the primary process. */
  answered(server: number, id: string, pairs: Pairs): void {
    this.#waiting.get(`${server} ${id}`)?.resolve(pairs);
    this.#waiting.delete(`${server} ${id}`);
  }
}
