/** Which name was probably meant. */
import { distance } from "fastest-levenshtein";

/** @returns the name that is most alike; null where more than two letters and a third of all differ */
export function suggest(name: string, known: readonly string[]): string | null {
  const [best] = known
    .map((candidate) => ({ candidate, letters: distance(name, candidate) }))
    .toSorted((one, other) => one.letters - other.letters);
  return best !== undefined && best.letters <= Math.max(2, name.length / 3) ? best.candidate : null;
}
