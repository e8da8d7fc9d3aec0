/** A worker that calls the objects of ours from within workerd, as our own does. */
import type { Ledgers } from "../../../worker/penalties/ledger.ts";

export interface Call {
  readonly shard: string;
  readonly method: "tally" | "list" | "lift" | "note" | "noted";
  readonly args: readonly unknown[];
  /** At the same moment. */
  readonly times: number;
}

type Methods = Readonly<Record<Call["method"], (...args: readonly unknown[]) => Promise<unknown>>>;

export default {
  async fetch(request: Request, { PENALTIES }: { PENALTIES: Ledgers }): Promise<Response> {
    const { shard, method, args, times } = (await request.json()) as Call;
    const ledger = PENALTIES.getByName(shard) as unknown as Methods;
    const calls = Array.from({ length: times }, () => ledger[method](...args));
    return Response.json(await Promise.all(calls));
  },
};
