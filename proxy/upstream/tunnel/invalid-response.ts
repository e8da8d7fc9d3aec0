/** The proxy's response breaks its protocol. */
export function invalidResponse(): Error {
  return new Error("sent invalid response");
}
