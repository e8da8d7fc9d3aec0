// Host names of clients that Postern finds and nginx does not.
import { allOf, askedInstead, heardInstead } from "../rewriting.ts";
import type { KnownDifference } from "./known-difference.ts";

const named = (each: string): string => each.replace("[UNAVAILABLE]", "four1.example.test");

export const hosts: readonly KnownDifference[] = [
  {
    reason: "an IPv4 address that is written as IPv6 has the name of the IPv4 address",
    scripts: /^Names of clients: an IPv4 address that is written as IPv6$/,
    expected: allOf(askedInstead(named), heardInstead(named)),
  },
];
