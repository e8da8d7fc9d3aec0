// The passwords and keys that a test uses, and the check that nothing of ours has told them: whatever a program
// writes, its log files, the metrics and the worker's log pass by here, in every test, when they end.

/** Of these, words that occur by chance are too short. */
const SHORTEST = 8;

/** Each secret by the forms in which it might be told. */
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

/** As in URLs, the log, JSON, and dumps of bytes. */
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
