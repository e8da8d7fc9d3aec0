/** Reason phrases of HTTP (RFC 9110 section 15). By hand: `node:http` would load a whole HTTP stack into each worker. */
const REASON_PHRASES: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  407: "Proxy Authentication Required",
  408: "Request Timeout",
  429: "Too Many Requests",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** @returns an empty text for a status that the table lacks */
export function reasonPhrase(status: number): string {
  return REASON_PHRASES[status] ?? "";
}
