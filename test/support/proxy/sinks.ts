// Places for lines, of which each is expected to take all that it gets.
import { Sinks } from "../../../proxy/observe/index.ts";

export function willingSinks(): Sinks {
  return new Sinks((_level, message) => {
    throw new Error(message);
  });
}
