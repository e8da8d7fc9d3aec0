import { distance } from "fastest-levenshtein";

/** @returns the most similar name; null if more than two letters and more than a third of the name differ */
export function suggest(name: string, known: readonly string[]): string | null {
  const [best] = known
    .map((candidate) => ({ candidate, letters: distance(name, candidate) }))
    .toSorted((one, other) => one.letters - other.letters);
  return best !== undefined && best.letters <= Math.max(2, name.length / 3) ? best.candidate : null;
}
