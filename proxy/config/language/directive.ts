import type { ByteString } from "../../../shared/lookup.ts";
import type { Diagnostics } from "./diagnostics.ts";
import type { Place } from "./error.ts";

/** One directive as the file has it. */
export interface Directive extends Place {
  readonly name: string;
  /** The file's bytes; the readers in values.ts turn them into text. */
  readonly args: readonly ByteString[];
  /** True where a block follows, whose directives the parser returns next. */
  readonly opensBlock: boolean;
  /** Takes the warnings of the directive's reader. */
  readonly diagnostics: Diagnostics;
}
