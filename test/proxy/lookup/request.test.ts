import assert from "node:assert/strict";
import { test } from "node:test";
import type { LookupRequest } from "../../../proxy/lookup/index.ts";
import { LookupFormatter, type RequestSettings } from "../../../proxy/lookup/request.ts";
import { lookupRequest } from "../../support/proxy/lookup-request.ts";

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

const nginxSettings: RequestSettings = {
  auth_http: endpoint,
  auth_http_keepalive: false,
  auth_http_pass_client_cert: false,
  auth_http_header: [],
  auth_http_cache: null,
};

const POSTERN_HEADERS = /^(?:Auth-Accept|Auth-SSL-Server-Name|Traceparent): /;

test("Auth-Accept lists the cache where auth_http_cache is on", () => {
  const text = formatRequest(
    { ...nginxSettings, auth_http_cache: { entries: 1 } },
    lookupRequest(),
  );
  assert.match(text, /\r\nAuth-Accept: hostname, tls, fallback, cache\r\n/);
});

function formatRequest(settings: RequestSettings, request: LookupRequest): string {
  return new LookupFormatter(settings).format(request).text;
}

/** The lines of a request without the headers that nginx does not send. */
function lines(changes: Partial<LookupRequest> = {}, headers: readonly string[] = []): string[] {
  const text = formatRequest(
    { ...nginxSettings, auth_http_header: headers },
    lookupRequest(changes),
  );
  assert.ok(text.endsWith("\r\n\r\n"));
  return text
    .slice(0, -4)
    .split("\r\n")
    .filter((line) => !POSTERN_HEADERS.test(line));
}

/** A whole request; `<span>` replaces the random span. */
function wholeRequest(changes: Partial<LookupRequest> = {}): string {
  const text = formatRequest(nginxSettings, lookupRequest(changes));
  return text.replace(/(?<=^Traceparent: \S{36})[\da-f]{16}/m, "<span>");
}

test("a request is nginx's byte for byte, with Auth-Accept and Traceparent behind nginx's headers", () => {
  assert.equal(
    wholeRequest(),
    "GET /auth?a=b HTTP/1.0\r\nHost: 192.0.2.7\r\nAuth-Method: plain\r\nAuth-User: anna\r\nAuth-Pass: s3cret\r\n" +
      "Auth-Protocol: imap\r\nAuth-Login-Attempt: 1\r\nClient-IP: 192.0.2.9\r\n" +
      "Auth-Accept: hostname, tls, fallback\r\n" +
      "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-<span>-01\r\n\r\n",
  );
});

test("each lookup has its own span in the session's trace", () => {
  const spans = Array.from({ length: 100 }, () => {
    const text = formatRequest(nginxSettings, lookupRequest());
    return /^Traceparent: 00-0af7651916cd43dd8448eb211c80319c-([\da-f]{16})-01\r$/m.exec(text)?.[1];
  });
  assert.equal(new Set(spans).size, 100);
  assert.ok(spans.every((span) => span !== undefined && !/^0+$/.test(span)));
});

test("Auth-SSL-Server-Name is the client's SNI name in lower case, and is left out for an invalid name", () => {
  const sentName = (serverName: string | null): string | undefined =>
    /^Auth-SSL-Server-Name: (.*)\r$/m.exec(wholeRequest({ tls: { ...tls, serverName } }))?.[1];
  assert.equal(sentName("Mail.Example.TEST"), "mail.example.test");
  for (const invalid of [null, "", "192.0.2.1", "a b", "mail\r\nAuth-User: eve", "x".repeat(300)]) {
    assert.equal(sentName(invalid), undefined);
  }
});

test("the headers of auth_http_header come last, verbatim and in order", () => {
  const headers = ["X-Auth-Key: a  b%20", "Client-IP: 1.2.3.4"];
  assert.deepEqual(lines({ tls }, headers).slice(-5), [
    "Auth-SSL: on",
    "Auth-SSL-Protocol: TLSv1.3",
    "Auth-SSL-Cipher: TLS_AES_256_GCM_SHA384",
    ...headers,
  ]);
});

test("an SMTP lookup sends Client-Host behind Client-IP", () => {
  const smtp = lines({ protocol: "smtp", attempt: 3 });
  assert.deepEqual(smtp.slice(-4), [
    "Auth-Protocol: smtp",
    "Auth-Login-Attempt: 3",
    "Client-IP: 192.0.2.9",
    "Client-Host: [UNAVAILABLE]",
  ]);
});

test("control characters, spaces and % are escaped in a login and a password, and 8-bit bytes are not escaped", () => {
  const credentials = {
    method: "plain",
    login: "an na%\t\x1f",
    password: "\xe4\xff~ \x7f",
  } as const;
  const [, , , user, password] = lines({ credentials });
  assert.equal(user, "Auth-User: an%20na%25%09%1F");
  assert.equal(password, "Auth-Pass: \xe4\xff~%20%7F");
});

test("8-bit bytes are escaped towards https", () => {
  const credentials = { method: "plain", login: "\xc3\xa4", password: "" } as const;
  const https = {
    ...nginxSettings,
    auth_http: { ...endpoint, https: true },
    auth_http_keepalive: true,
  };
  const text = formatRequest(https, lookupRequest({ credentials }));
  assert.match(text, /\r\nAuth-User: %C3%A4\r\nAuth-Pass: \r\n/);
  assert.match(text, /^GET \/auth\?a=b HTTP\/1\.1\r\n/);
});

test("an APOP lookup sends the digest and the salt", () => {
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

test("a lookup for an SMTP recipient sends HELO, MAIL and RCPT of the transaction", () => {
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

test("the addresses of a PROXY header come before the Auth-SSL headers", () => {
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
