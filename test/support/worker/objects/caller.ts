/** A worker that calls the objects of ours from within workerd, as our own does. */

export interface Call {
  /** The namespace of the objects. */
  readonly binding: "PENALTIES" | "FLEET";
  readonly name: string;
  readonly method: string;
  readonly args: readonly unknown[];
  /** At the same moment. */
  readonly times: number;
}

interface Objects {
  getByName(
    name: string,
  ): Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>;
}

export default {
  async fetch(request: Request, env: Record<Call["binding"], Objects>): Promise<Response> {
    const { binding, name, method, args, times } = (await request.json()) as Call;
    const object = env[binding].getByName(name);
    const calls = Array.from({ length: times }, () => object[method]!(...args));
    const results = await Promise.all(calls);
    return Response.json(results.map((each) => (each instanceof Response ? each.status : each)));
  },
};
