// The contract of all replies, for any lookup.
import assert from "node:assert/strict";
import { isIP } from "node:net";
import { parseUserVersion } from "../../../../shared/user-version.ts";
import type { RawAnswer, RawRequest } from "../../../support/http/raw-http-client.ts";
import { ALICE, DIGESTS, KEY, PEOPLE } from "./people.ts";

/** `Auth-Status` of refusals, in the texts of all protocols. */
const REFUSAL =
  /^(?:\[(?:AUTHENTICATIONFAILED|AUTH)\] )?Invalid login or password$|^(?:No such user here|Relay access denied)$/;
const TEMPORARY =
  /^(?:\[(?:UNAVAILABLE|SYS\/TEMP)\] )?(?:Temporary failure|Too many failed logins), please try again later$/;

/** The platform answers 501 to unknown methods. */
const REJECTIONS = [400, 403, 404, 405, 501];

/** Bytes of a reply's head that nginx reads. */
const MAX_HEAD_BYTES = 1024;

export function assertContract(request: RawRequest, answer: RawAnswer): void {
  const { status, headers, body, bytes } = answer;
  assert.ok(bytes <= MAX_HEAD_BYTES, "nginx can read it");
  assert.doesNotMatch(body, /^\s+at |\.[jt]s:\d|Error: /m, "no stack trace");
  const told = headers["auth-status"];
  if (told === undefined) {
    const elsewhere = !/^\/(?:auth|cgi-bin)/.test(request.target);
    assert.ok(REJECTIONS.includes(status) || (elsewhere && status !== 500), `status ${status}`);
    assert.deepEqual(authHeaders(answer), []);
    return;
  }
  assert.equal(body, "");
  if (told === "OK") {
    assert.equal(status, 200);
    assert.ok(isIP(headers["auth-server"] ?? "") > 0, "a server's address");
    assert.match(headers["auth-port"] ?? "", /^(?:143|110|587)$/);
    assert.ok(isEntitled(request), "OK without correct credentials");
    const version = parseUserVersion(headers["auth-user-id"], headers["auth-user-version"]);
    const acceptsMore = /[^ \t,]/.test(valueOf(request, "auth-accept"));
    const isLogin = valueOf(request, "auth-method") !== "none";
    assert.equal(version !== null, acceptsMore && isLogin, "a version for callers that accept it");
    return;
  }
  assert.match(told, status === 503 ? TEMPORARY : REFUSAL);
  assert.ok(status === 200 || status === 503, "a refusal's status");
  const code = headers["auth-error-code"];
  assert.equal(code === undefined, told.startsWith("["), "SMTP has a code, the others none");
  if (code !== undefined)
    assert.match(code, status === 503 ? /^454 4\.7\.0$/ : /^5\d\d 5\.\d\.\d$/);
  assert.match(headers["auth-wait"] ?? "1", /^(?:[1-9]|1[0-5])$/);
  assert.equal(headers["auth-server"], undefined);
  assert.equal(headers["auth-user-id"], undefined);
}

/** A header as Workers read it: several of one name are joined. */
function valueOf({ fields }: RawRequest, header: string): string {
  const same = fields.filter(([name]) => name.toLowerCase() === header);
  return same.map(([, text]) => text.replaceAll(/^[ \t]+|[ \t]+$/g, "")).join(", ");
}

function authHeaders({ headers }: RawAnswer): string[] {
  return Object.keys(headers).filter((name) => name.startsWith("auth-"));
}

/** True if the lookup's bytes are a user's credentials, or mail for a recipient that is accepted. */
function isEntitled(request: RawRequest): boolean {
  const value = (header: string) => valueOf(request, header);
  if (value("x-auth-key") !== KEY) return false;
  if (value("auth-method") === "none") {
    const [, recipient = ""] =
      /^RCPT TO:<(?:@relay\.test:)?([^<> ]+)>/.exec(value("auth-smtp-to")) ?? [];
    const known = PEOPLE.some(({ address }) => address === recipient);
    return value("auth-protocol") === "smtp" && (known || recipient.endsWith("@open.test"));
  }
  const user = normal(unescaped(value("auth-user")));
  const password = unescaped(value("auth-pass"));
  if (value("auth-method") === "external") {
    const good = value("auth-ssl-verify") === "SUCCESS";
    return good && user === ALICE.address && value("auth-ssl-subject") === ALICE.subject;
  }
  const digest = DIGESTS[value("auth-method")];
  if (digest !== undefined)
    return user === ALICE.address && password === digest(value("auth-salt"));
  if (value("auth-method") !== "plain") return false;
  return PEOPLE.some((person) => person.address === user && person.password === password);
}

/** Lower case. In a domain, IDNA also replaces or drops some characters. */
function normal(login: string): string {
  const lower = login.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
  const at = lower.lastIndexOf("@");
  if (at === -1) return lower;
  const domain = Buffer.from(lower.slice(at), "latin1").toString().normalize("NFKC");
  const visible = domain.replaceAll(/\p{Default_Ignorable_Code_Point}/gu, "");
  return lower.slice(0, at) + visible.toLowerCase();
}

function unescaped(text: string): string {
  return text.replaceAll(/%([\da-f]{2})/gi, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}
