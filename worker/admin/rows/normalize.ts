/** Normalizes what operators write, so that the directory holds each value in one form. */
import { canonicalIp, formatNetwork, parseNetwork } from "../../../shared/address.ts";
import { comparableDomain } from "../../../shared/user-address.ts";
import { normalAddress } from "../../directory/address.ts";
import { ApiError } from "../http/api-error.ts";
import type { Settings } from "./resource.ts";

/** RFC 5321 section 4.5.3.1: 64 octets, an at sign, 255 octets. */
const LONGEST_ADDRESS = 320;

/** Normalizes an address as the lookup does. @throws ApiError */
export function address(text: string, { DEFAULT_DOMAIN }: Settings): string {
  const normal = normalAddress(text, { defaultDomain: DEFAULT_DOMAIN });
  if (normal.length > LONGEST_ADDRESS || !/^[^\s\p{Cc}]+$/u.test(normal)) {
    throw new ApiError(400, "an address has no spaces and at most 320 characters");
  }
  return normal;
}

export function domain(text: string): string {
  return comparableDomain(text);
}

/** Normalizes an IP address or a host name. */
export function host(text: string): string {
  return canonicalIp(text) ?? text.toLowerCase();
}

/** @throws ApiError */
export function network(text: string): string {
  const parsed = parseNetwork(text);
  if (parsed === null) throw new ApiError(400, `${text} is not a network such as 192.0.2.0/24`);
  return formatNetwork(parsed);
}
