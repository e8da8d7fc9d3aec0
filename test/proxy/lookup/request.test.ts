import assert from "node:assert/strict";
import { test } from "node:test";
import type { LookupRequest } from "../../../proxy/lookup/index.ts";
import { LookupFormatter, type RequestSettings } from "../../../proxy/lookup/request.ts";
import { lookupRequest } from "../../support/lookup-request.ts";

const endpoint = {
  https: false,
  host: "192.0.2.7",
  port: 80,
  hostHeader: "192.0.2.7",
  uri: "/auth?a=b",
};
const tls = {
  protocol: "TLSv1.3",
  cipher: "TLS_AES_256_GCM_SHA384",
  serverName: "mx",
  alpn: null,
  resumed: false,
  certificate: () => null,
  verification: null,
};

const nginxs: RequestSettings = {
  auth_http: endpoint,
  auth_http_keepalive: false,
  auth_http_pass_client_cert: false,
  auth_http_header: [],
  auth_http_cache: null,
};

const OURS = /^(?:Auth-Accept|Auth-SSL-Server-Name|Traceparent): /;

test("the cache is among what we understand where there is one", () => {
  const text = formatRequest({ ...nginxs, auth_http_cache: { entries: 1 } }, lookupRequest());
  assert.match(text, /\r\nAuth-Accept: hostname, tls, fallback, cache\r\n/);
});

function formatRequest(settings: RequestSettings, request: LookupRequest): string {
  return new LookupFormatter(settings).format(request).text;
}

/** The lines of a request in nginx's manner. */
function lines(changes: Partial<LookupRequest> = {}, headers: readonly string[] = []): string[] {
  const text = formatRequest({ ...nginxs, auth_http_header: headers }, lookupRequest(changes));
  assert.ok(text.endsWith("\r\n\r\n"));
  return text
    .slice(0, -4)
    .split("\r\n")
    .filter((line) => !OURS.test(line));
}

/** A whole request, without what is new in each. */
function whole(changes: Partial<LookupRequest> = {}): string {
  const text = formatRequest(nginxs, lookupRequest(changes));
  return text.replace(/(?<=^Traceparent: \S{36})[\da-f]{16}/m, "<span>");
}

test("a lookup is nginx's, byte for byte, and says what else we understand, and whose it is", () => {
  assert.equal(
    whole(),
    "GET /auth?a=b HTTP/1.0\r\nHost: 192.0.2.7\r\nAuth-Method: plain\r\nAuth-User: anna\r\nAuth-Pass: s3cret\r\n" +
      "Auth-Protocol: imap\r\nAuth-Login-Attempt: 1\r\nClient-IP: 192.0.2.9\r\n" +
      "Auth-Accept: hostname, tls, fallback\r\n" +
      "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-<span>-01\r\n\r\n",
  );
});

test("each lookup is a span of its own in the session's trace", () => {
  const spans = Array.from({ length: 100 }, () => {
    const text = formatRequest(nginxs, lookupRequest());
    return /^Traceparent: 00-0af7651916cd43dd8448eb211c80319c-([\da-f]{16})-01\r$/m.exec(text)?.[1];
  });
  assert.equal(new Set(spans).size, 100);
  assert.ok(spans.every((span) => span !== undefined && !/^0+$/.test(span)));
});

test("the name that the client asked for by SNI is told as DNS has it, unless it is none", () => {
  const told = (serverName: string | null): string | undefined =>
    /^Auth-SSL-Server-Name: (.*)\r$/m.exec(whole({ tls: { ...tls, serverName } }))?.[1];
  assert.equal(told("Mail.Example.TEST"), "mail.example.test");
  for (const none of [null, "", "192.0.2.1", "a b", "mail\r\nAuth-User: eve", "x".repeat(300)]) {
    assert.equal(told(none), undefined);
  }
});

test("headers of the configuration stand last, verbatim and in order", () => {
  const headers = ["X-Auth-Key: a  b%20", "Client-IP: 1.2.3.4"];
  assert.deepEqual(lines({ tls }, headers).slice(-5), [
    "Auth-SSL: on",
    "Auth-SSL-Protocol: TLSv1.3",
    "Auth-SSL-Cipher: TLS_AES_256_GCM_SHA384",
    ...headers,
  ]);
});

test("SMTP tells the client's host, behind its address", () => {
  const smtp = lines({ protocol: "smtp", attempt: 3 });
  assert.deepEqual(smtp.slice(-4), [
    "Auth-Protocol: smtp",
    "Auth-Login-Attempt: 3",
    "Client-IP: 192.0.2.9",
    "Client-Host: [UNAVAILABLE]",
  ]);
});

test("controls, spaces and % are escaped in login and password, 8-bit bytes are not", () => {
  const credentials = {
    method: "plain",
    login: "an na%\t\x1f",
    password: "\xe4\xff~ \x7f",
  } as const;
  const [, , , user, password] = lines({ credentials });
  assert.equal(user, "Auth-User: an%20na%25%09%1F");
  assert.equal(password, "Auth-Pass: \xe4\xff~%20%7F");
});

test("towards https 8-bit bytes are escaped too", () => {
  const credentials = { method: "plain", login: "\xc3\xa4", password: "" } as const;
  const https = { ...nginxs, auth_http: { ...endpoint, https: true }, auth_http_keepalive: true };
  const text = formatRequest(https, lookupRequest({ credentials }));
  assert.match(text, /\r\nAuth-User: %C3%A4\r\nAuth-Pass: \r\n/);
  assert.match(text, /^GET \/auth\?a=b HTTP\/1\.1\r\n/);
});

test("a digest comes with its salt", () => {
  const credentials = {
    method: "apop",
    login: "anna",
    digest: "0f".repeat(16),
    salt: "<1.2@mx>",
  } as const;
  assert.deepEqual(lines({ credentials, protocol: "pop3" }).slice(2, 7), [
    "Auth-Method: apop",
    "Auth-User: anna",
    `Auth-Pass: ${"0f".repeat(16)}`,
    "Auth-Salt: <1.2@mx>",
    "Auth-Protocol: pop3",
  ]);
});

test("a recipient without a login comes with its transaction", () => {
  const credentials = {
    method: "none",
    helo: "",
    from: "MAIL FROM:<a@b>",
    to: "RCPT TO:<c@d>",
  } as const;
  assert.deepEqual(lines({ credentials, protocol: "smtp" }).slice(2), [
    "Auth-Method: none",
    "Auth-User: ",
    "Auth-Pass: ",
    "Auth-Protocol: smtp",
    "Auth-Login-Attempt: 1",
    "Client-IP: 192.0.2.9",
    "Client-Host: [UNAVAILABLE]",
    "Auth-SMTP-Helo: ",
    "Auth-SMTP-From: MAIL FROM:<a@b>",
    "Auth-SMTP-To: RCPT TO:<c@d>",
  ]);
});

test("a PROXY header's addresses stand before TLS", () => {
  const proxied = {
    source: { host: "198.51.100.1", port: 1234 },
    destination: { host: "203.0.113.1", port: 143 },
  };
  assert.deepEqual(lines({ proxied, tls }).slice(-7, -2), [
    "Proxy-Protocol-Addr: 198.51.100.1",
    "Proxy-Protocol-Port: 1234",
    "Proxy-Protocol-Server-Addr: 203.0.113.1",
    "Proxy-Protocol-Server-Port: 143",
    "Auth-SSL: on",
  ]);
});
