/** D1 does not answer, or answers with an error, so that the directory cannot be read or written. */
import { describe } from "../log/log.ts";

export class DirectoryFailure extends Error {
  override name = "DirectoryFailure";
}

/** Awaits a query. @throws DirectoryFailure in place of any error */
export async function orFailure<Result>(query: PromiseLike<Result>): Promise<Result> {
  try {
    return await query;
  } catch (error) {
    throw new DirectoryFailure(describe(error), { cause: error });
  }
}
