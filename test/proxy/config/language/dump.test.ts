// `-T` and messages show no secret, however it is spelt, and all else byte for byte.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ConfigError, errorLines, withoutSecrets } from "../../../../proxy/config/index.ts";
import { configure } from "../../../support/proxy/configuration.ts";
import { inputs } from "../../../support/property.ts";

/** Every secret begins with it. A secret in small letters alone could be a directive's name. */
const MARK = "S3cr3t";

const SHOWN: Readonly<Record<string, string>> = {
  '"auth_http_header" X-Auth-Key secret;': '"auth_http_header" X-Auth-Key ***;',
  "'auth_http_header'\n\tX-Auth-Key\n'sec;ret';": "'auth_http_header'\n\tX-Auth-Key\n***;",
  "auth_http_header # the key\n X-Auth-Key secret;": "auth_http_header # the key\n X-Auth-Key ***;",
  "auth_http_header X-Auth-Key # was: former\n secret;": "auth_http_header X-Auth-Key #***\n ***;",
  "auth_http_header auth_http_header secret;": "auth_http_header auth_http_header ***;",
  "# auth_http_header X-Auth-Key secret;\n": "# auth_http_header X-Auth-Key ***;\n",
  "## a; # auth_http_header X-Auth-Key secret; b\n": "## a; # auth_http_header X-Auth-Key ***; b\n",
  "#auth_http_header\n#  X-Auth-Key\n#  secret;\n": "#auth_http_header\n#  X-Auth-Key\n#  ***;\n",
  "# 'tis auth_http_header X-Auth-Key secret\n": "# 'tis auth_http_header X-Auth-Key ***\n",
  '# write "auth_http_header X secret;" here\n': '# write "auth_http_header X ***\n',
  "http { auth_http_header X-Auth-Key secret; }": "http { auth_http_header X-Auth-Key ***; }",
  "a http://u:p@h;\nb;": "a http://u:***@h;\nb;",
  "a http://u:p@q@h:1;": "a http://u:***@h:1;",
  "a http://u@x:p@h;": "a http://u@x:***@h;",
  'a "http://u:p\\"q@h";': 'a "http://u:***@h";',
  "# socks5://u@c:p/q@h:1 x": "# socks5://u@c:***@h:1 x",
  "# don't: 'http://u:p@h x": "# don't: 'http://u:***@h x",
  "auth_http http://127.0.0.1:80/auth; # me@home": "auth_http http://127.0.0.1:80/auth; # me@home",
  "a http://u@h:80;": "a http://u@h:80;",
  "env 'KEY=secret';env TZ;": "env 'KEY=***';env TZ;",
  'ssl_certificate_key "data:-----BEGIN EC PRIVATE KEY-----\nMHc\n-----";':
    'ssl_certificate_key "data:***";',
  'ssl_certificate_key "store:pkcs11:token=t;pin-value=12;id=1";':
    'ssl_certificate_key "store:pkcs11:token=t;pin-value=***;id=1";',
};
for (const [text, shown] of Object.entries(SHOWN)) {
  test(`-T prints ${JSON.stringify(text)} without its secret`, () => {
    assert.equal(withoutSecrets(text), shown);
  });
}

/** A piece of a file, and the same piece as it may be shown. */
interface Piece {
  readonly text: string;
  readonly shown: string;
}

type Quote = "" | '"' | "'";

function spelt(quote: Quote, value: string): string {
  if (quote === "") return value.replaceAll("\\", "\\\\");
  return value.replaceAll(/["'\\]/g, (char) =>
    char === quote || char === "\\" ? `\\${char}` : char,
  );
}

function open(text: string): Piece {
  return { text, shown: text };
}

/** A word whose middle is a secret. */
function hiding(quote: Quote, before: string, secret: string, behind: string): Piece {
  const parts = [before, secret, behind].map((part) => spelt(quote, part));
  const [head = "", middle = "", tail = ""] = parts;
  return {
    text: `${quote}${head}${middle}${tail}${quote}`,
    shown: `${quote}${head}***${tail}${quote}`,
  };
}

const quote = fc.constantFrom<Quote>("", '"', "'");

/** @param chars beside letters; a word without quotes holds none that would end it */
function secretOf(chars: string): fc.Arbitrary<readonly [Quote, string]> {
  return quote.chain((mark) => {
    const allowed = mark === "" ? chars.replaceAll(/[\s;{]/g, "") : chars;
    return fc
      .string({ unit: fc.constantFrom(..."aZ9", ...allowed), maxLength: 12 })
      .map((rest) => [mark, `${MARK}${rest}`] as const);
  });
}

const blank = fc.constantFrom(" ", "\t", "\n", "  \r\n ");
const prose = fc.string({ unit: fc.constantFrom(..."abc 12#;{}'\"="), maxLength: 10 });

/** @param tells true where a comment between these words may be about a secret */
function gap(tells: boolean): fc.Arbitrary<Piece> {
  const comment = fc.tuple(blank, fc.constantFrom("#", "##"), prose).map(([first, sign, text]) => ({
    text: `${first}${sign}${text}${tells ? MARK : ""}\n`,
    // All signs at its begin are shown.
    shown: `${first}${sign}${tells ? `${/^#*/.exec(text)?.[0] ?? ""}***` : text}\n`,
  }));
  return fc.oneof({ weight: 4, arbitrary: blank.map(open) }, { weight: 1, arbitrary: comment });
}

function word(value: string): fc.Arbitrary<Piece> {
  return quote.map((mark) => open(`${mark}${spelt(mark, value)}${mark}`));
}

function joined(...pieces: readonly fc.Arbitrary<Piece>[]): fc.Arbitrary<Piece> {
  return fc.tuple(...pieces).map((all) => ({
    text: all.map(({ text }) => text).join(""),
    shown: all.map(({ shown }) => shown).join(""),
  }));
}

const end = fc.constant(open(";"));

const header = joined(
  word("auth_http_header"),
  gap(false),
  word("X-Key"),
  gap(true),
  secretOf("@:/;#{}$= \\\"'\n").map(([mark, value]) => ({
    text: `${mark}${spelt(mark, value)}${mark}`,
    shown: "***",
  })),
  end,
);

const url = joined(
  fc.constantFrom("outbound_proxy", "auth_http_proxy").chain(word),
  gap(false),
  fc
    .tuple(fc.constantFrom("http", "https", "socks5"), secretOf("@:/;#{}$=%'"))
    .map(([scheme, [mark, value]]) => hiding(mark, `${scheme}://user:`, value, "@192.0.2.1:3128")),
  end,
);

const variable = joined(
  word("env"),
  gap(false),
  secretOf("@:/;#{}$= \\\"'").map(([mark, value]) => hiding(mark, "TOKEN=", value, "")),
  end,
);

const harmless = joined(
  fc.constantFrom("timeout", "auth_http", "server_name").chain(word),
  gap(false),
  fc
    .constantFrom("1s", "http://127.0.0.1:80/x", "a@b", "$x{y}", "#")
    .map((value) => open(`"${value}"`)),
  end,
);

/** One that is out of use, on a line of its own. */
const commented = fc.constantFrom("X-Key", '"X-Key"').map((name) => ({
  text: `\n# auth_http_header ${name} '${MARK};a b'; timeout 1s;\n`,
  shown: `\n# auth_http_header ${name} ***; timeout 1s;\n`,
}));

const directives = fc
  .array(joined(gap(false), fc.oneof(header, url, variable, harmless, commented)), { maxLength: 8 })
  .map((all) => ({
    text: all.map(({ text }) => text).join(""),
    shown: all.map(({ shown }) => shown).join(""),
  }));

describe("for any configuration", () => {
  test("-T prints *** for each secret, and every other byte as it is", () => {
    fc.assert(
      fc.property(directives, ({ text, shown }) => {
        const told = withoutSecrets(text);
        assert.equal(told, shown);
        assert.equal(told.includes(MARK), false);
      }),
      inputs(5),
    );
  });

  test("with a byte less or another byte, no message quotes a secret", (t) => {
    let mistakes = 0;
    const { numRuns: runs } = inputs(10);
    fc.assert(
      fc.property(
        directives,
        fc.nat(),
        fc.constantFrom("", ";", "}", "{", '"', "#", " "),
        ({ text }, index, char) => {
          const inner = `${text} server { listen 143; auth_http 127.0.0.1:9; }`;
          const at = index % inner.length;
          const told = messages(`mail { ${inner.slice(0, at)}${char}${inner.slice(at + 1)}\n}`);
          if (told.length > 0) mistakes++;
          for (const line of told) assert.equal(line.includes(MARK), false, line);
        },
      ),
      inputs(10),
    );
    t.diagnostic(`${mistakes} of ${runs} configurations had a message`);
    assert.ok(mistakes > runs / 2, `${mistakes}`);
  });
});

function messages(text: string): readonly string[] {
  try {
    const { warnings, notices } = configure(text);
    return [...warnings, ...notices];
  } catch (error) {
    if (error instanceof ConfigError) return errorLines(error);
    throw error;
  }
}

const QUOTED: Readonly<Record<string, string>> = {
  "a password in auth_http": `mail { auth_http http://user:${MARK}@192.0.2.1/; }`,
  "a password with a slash in auth_http": `mail { auth_http https://user:${MARK}/a@192.0.2.1/; }`,
  "a password behind the URL of a proxy": `mail { outbound_proxy http://proxy password=${MARK}; }`,
  "a long password without its semicolon": `mail { outbound_proxy http://user:${MARK}${"a".repeat(90)}@h }`,
  "credentials in place of their file": `mail { outbound_proxy http://proxy credentials=user:${MARK}; }`,
  "a fleet's key in place of its file": `mail { fleet https://w.test/fleet key=${MARK}; }`,
  "a header's value without the blank before it": `mail { auth_http_header X'${MARK} }'; }`,
  "a header's value without its semicolon": `mail { "auth_http_header" X ${MARK} }`,
  "a header behind a missing semicolon": `mail { timeout 1s auth_http_header X ${MARK} }`,
  "a header's value of 5,000 bytes": `mail { auth_http_header X ${MARK}${"a".repeat(5000)}; }`,
  "a header's value of 4,096 bytes in quotes": `mail { auth_http_header X "${MARK}${"a".repeat(4089)}"; }`,
  "a URL in a directive for something else": `mail { starttls 'http://u:"${MARK}@h'; }`,
  "a PIN in a key's name": `mail { auth_http 127.0.0.1:9; server { listen 993 ssl; protocol imap; ssl_certificate a.pem; ssl_certificate_key "store:pkcs11:pin-value=${MARK}"; } }`,
};
for (const [what, text] of Object.entries(QUOTED)) {
  test(`the error about ${what} does not quote it`, () => {
    const told = messages(text);
    assert.ok(told.length > 0);
    assert.equal(told.join("\n").includes(MARK), false, told.join("\n"));
  });
}
