import assert from "node:assert/strict";
import { test } from "node:test";
import {
  SCHEMES,
  allowedSchemes,
  checkStored,
  needsRehash,
} from "../../support/worker/passwords.ts";
import { VECTORS } from "./vectors.ts";

const SHA512 =
  "$6$salt$aYIgyX7fqH6ghwzyVAOL2sIqJqBdlT3dY0FxMfoqr0L.komU5a6cj5ZoT6kcJ7ZeimiTDLJNlOOcsXrwSZjsv.";
const MD5 = "$1$salt$BYeAXXTZJdTcWU5Q6lxhK0";
const BCRYPT = "$2y$04$vhBPGSFzRNiLcTGg2szNhuHU1edUnIKnvEwgsVS1tXVvcKtZlXH6G";
const ARGON2 = "v=19$m=1024,t=1,p=4$b3RoZXJzYWx0$V9DGrzPdfqIn1/vtAGyb8g";
const HEX = "4cecaff2b30bbe75ce7322109164cfb5";

for (const [stored, scheme] of [
  [SHA512, "SHA512-CRYPT"],
  [`{CRYPT}${SHA512}`, "SHA512-CRYPT"],
  [`{crypt}${SHA512}`, "SHA512-CRYPT"],
  [`{SHA512-CRYPT}${SHA512}`, "SHA512-CRYPT"],
  [`{BLF-CRYPT}${SHA512}`, "SHA512-CRYPT"],
  [`{SHA512-CRYPT.base64}${btoa(SHA512)}`, "SHA512-CRYPT"],
  [`{SHA512-CRYPT}${BCRYPT}`, "BLF-CRYPT"],
  [BCRYPT.replace("2y", "2b"), "BLF-CRYPT"],
  [`{CRYPT}${MD5}`, "MD5-CRYPT"],
  [`{MD5}${MD5}`, "MD5-CRYPT"],
  [`${MD5}$what Dovecot ignores`, "MD5-CRYPT"],
  [`{MD5}${HEX}`, "PLAIN-MD5"],
  [`{LDAP-MD5}${HEX}`, "PLAIN-MD5"],
  ["T43/5odjkz7rk", "DES-CRYPT"],
  ["{CRYPT}T43/5odjkz7rk", "DES-CRYPT"],
  [`{PLAIN}${SHA512}`, "PLAIN"],
  ["{PLAIN}{SSHA}abc", "PLAIN"],
  ["{CLEAR}pass}word", "PLAIN"],
  [`$argon2id$${ARGON2}`, "ARGON2ID"],
  [`{ARGON2I}$argon2id$${ARGON2}`, "ARGON2ID"],
  [`$argon2i$${ARGON2}`, "ARGON2I"],
] as const) {
  test(`${stored.slice(0, 30)} is ${scheme}, as in Dovecot`, () => {
    assert.deepEqual(checkStored(stored, SCHEMES), { scheme });
  });
}

const DIGEST = `${"A".repeat(43)}=`;
for (const [stored, refused] of [
  ["", /no known scheme/],
  ["wonderland", /no known scheme/],
  ["{SSHA}", /SSHA: it is too short/],
  ["{SSHA512}AAAA", /SSHA512: it is too short/],
  ["{SHA256}AAAA", /SHA256: it does not have 32 bytes/],
  ["{SHA}b*d!", /SHA: it is not b64/],
  ["{SHA.hex}abc", /SHA: it is not hex/],
  ["{SHA.rot13}abc", /no known scheme/],
  ["{PLAIN}", /PLAIN: it is empty/],
  ["{CRYPT}wonderland", /no known scheme/],
  ["{CRYPT.hex}zz", /not hex/],
  ["{SHA512-CRYPT}abc", /no known scheme/],
  ["$6$salt$short", /SHA512-CRYPT: it is malformed/],
  ["$6$seventeen letters$", /SHA512-CRYPT: it is malformed/],
  [SHA512.replace("$6$", "$6$rounds=999$"), /SHA512-CRYPT: it is malformed/],
  [SHA512.replace("$6$", "$6$rounds=50001$"), /more than 50000 rounds/],
  [SHA512.replace("$6$", "$6$rounds=999999999$"), /more than 50000 rounds/],
  [SHA512.replace("$6$", "$6$rounds=99999999999$"), /SHA512-CRYPT: it is malformed/],
  [BCRYPT.replace("$04$", "$03$"), /BLF-CRYPT: it is malformed/],
  [BCRYPT.replace("$04$", "$13$"), /BLF-CRYPT: its cost is more than 12/],
  [BCRYPT.replace("$04$", "$99$"), /BLF-CRYPT: its cost is more than 12/],
  [BCRYPT.slice(0, -1), /BLF-CRYPT: it is malformed/],
  [`$argon2id$${ARGON2}`.replace("p=4", "p=129"), /too little memory for its lanes/],
  [`$argon2id$${ARGON2}`.replace("m=1024", "m=65537"), /more than 65536 KiB/],
  [`$argon2id$${ARGON2}`.replace("t=1", "t=257"), /more than 262144 KiB in all/],
  [`{PBKDF2}$1$salt$100001$${"a".repeat(40)}`, /PBKDF2: it has more than 100000 iterations/],
  [`{PBKDF2}$1$salt$0$${"a".repeat(40)}`, /PBKDF2: it is malformed/],
  [`{PBKDF2}$1$salt$5000$${"a".repeat(38)}`, /PBKDF2: it is malformed/],
  [`{SCRAM-SHA-256}100001,AAAA,${DIGEST},${DIGEST}`, /more than 100000 iterations/],
  [`{SCRAM-SHA-256}4096,AAAA,${DIGEST}`, /SCRAM-SHA-256: it is malformed/],
  [`{SCRAM-SHA-1}4096,AAAA,${DIGEST},${DIGEST}`, /SCRAM-SHA-1: it is malformed/],
  ["{CRAM-MD5}721a2df7", /^\{CRAM-MD5\} is a scheme that we cannot verify$/],
  ["$y$j9T$salt$hash", /^yescrypt \(\$y\$\) is a scheme that we cannot verify$/],
  [`{PLAIN}${"x".repeat(1_024)}`, /too long/],
] as const) {
  test(`${stored.slice(0, 40) || "nothing"} is refused at import`, () => {
    const check = checkStored(stored, SCHEMES);
    assert.ok("refused" in check);
    assert.match(check.refused, refused);
  });
}

const WEAK = ["DES-CRYPT", "MD5-CRYPT", "PLAIN", "PLAIN-MD5", "SMD5"];

test("weak schemes are refused unless the operator names them", () => {
  for (const { scheme, stored } of VECTORS) {
    const refused = `${scheme} is weak, and WEAK_PASSWORD_SCHEMES does not allow it`;
    const expected = WEAK.includes(scheme) ? { refused } : { scheme };
    assert.deepEqual(checkStored(stored, allowedSchemes()), expected);
  }
});

test("a weak scheme's name allows only that scheme", () => {
  for (const name of WEAK) {
    const allowed = allowedSchemes(name).filter(({ weak }) => weak);
    assert.deepEqual(
      allowed.map(({ names }) => names[0]),
      [name],
    );
  }
});

test("names of weak schemes may be in lower case, separated by commas, and any of Dovecot's", () => {
  const allowed = allowedSchemes(" cleartext,ldap-md5 , unheard-of").filter(({ weak }) => weak);
  assert.deepEqual(
    allowed.map(({ names }) => names[0]),
    ["PLAIN-MD5", "PLAIN"],
  );
});

test("all hashes but argon2id, and plain passwords, need a new hash", () => {
  for (const { scheme, stored } of VECTORS) {
    assert.equal(needsRehash(stored), scheme !== "ARGON2ID", scheme);
  }
});

test("a refusal does not contain the stored text", () => {
  for (const { stored } of VECTORS) {
    const secret = stored.slice(-12);
    for (const broken of [stored.slice(0, -1), `${stored}*`, stored.repeat(20)]) {
      const check = checkStored(broken, allowedSchemes());
      if ("refused" in check) assert.ok(!check.refused.includes(secret), check.refused);
    }
  }
});
