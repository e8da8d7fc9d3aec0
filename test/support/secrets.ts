// The passwords and keys that tests use, and the check that no output of Postern holds one: output, log files, metrics
// and the log of the worker are checked at the end of every test.

/** Shorter words could occur in a log by chance. */
const SHORTEST = 8;

/** Each form in which a log could hold a secret, with the secret. */
const forms = new Map<string, string>();

/** From now on, nothing may tell it. */
export function secret(text: string): string {
  if (text.length < SHORTEST) return text;
  for (const form of [text, ...escaped(text), ...inBase64(text)]) forms.set(form, text);
  return text;
}

/** @throws Error where a secret is told, in whatever form */
export function assertTellsNoSecret(what: string, text: string): void {
  for (const [form, told] of forms) {
    const at = text.indexOf(form);
    if (at === -1) continue;
    const line = text.slice(text.lastIndexOf("\n", at) + 1).split("\n", 1)[0];
    throw new Error(`${what} tells the secret "${told}": ${line}`);
  }
}

/** The encodings of URLs, logs, JSON and byte dumps. */
function escaped(text: string): string[] {
  const bytes = [...Buffer.from(text)];
  return [
    encodeURIComponent(text),
    bytes.map((byte) => `%${hex(byte)}`).join(""),
    text.replaceAll(/[^ -~]/g, (char) =>
      [...Buffer.from(char)].map((byte) => `\\x${hex(byte).toUpperCase()}`).join(""),
    ),
    JSON.stringify(text).slice(1, -1),
    Buffer.from(text).toString("hex"),
  ];
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

/** In the middle of something longer, as in AUTH PLAIN: only the digits that depend on nothing else. */
function inBase64(text: string): string[] {
  return [0, 1, 2].flatMap((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(text)]);
    const whole = Math.floor((bytes.length * 8) / 6);
    return (["base64", "base64url"] as const).map((alphabet) =>
      bytes.toString(alphabet).slice(Math.ceil((before * 8) / 6), whole),
    );
  });
}
