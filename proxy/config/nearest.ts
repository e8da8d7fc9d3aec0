/** Which name was probably meant. */
import { distance } from "fastest-levenshtein";

/** @returns the name that is most alike; null where more than half of the letters differ in all of them */
export function nearest(name: string, known: readonly string[]): string | null {
  const [best] = known
    .map((candidate) => ({ candidate, letters: distance(name, candidate) }))
    .toSorted((one, other) => one.letters - other.letters);
  return best !== undefined && best.letters <= name.length / 2 ? best.candidate : null;
}
