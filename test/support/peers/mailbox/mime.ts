// A message as a tree of parts (RFC 2045, 2046), as far as IMAP and POP3 show it.

export type Part = {
  /** The header block with its empty line, and what follows it. */
  readonly header: string;
  readonly body: string;
  readonly type: string;
  readonly subtype: string;
  readonly parameters: Parameters;
  /** The parts of a multipart, or the message in a message/rfc822. */
  readonly children: readonly Part[];
};

export type Parameters = ReadonlyArray<readonly [name: string, value: string]>;

export function parse(content: string, defaultType = "text/plain"): Part {
  const { header, body } = split(content);
  const { value, parameters } = parseParameters(field(header, "Content-Type") ?? defaultType);
  const [type = "text", subtype = "plain"] = value.toLowerCase().split("/");
  const boundary = parameters.find(([name]) => name.toLowerCase() === "boundary")?.[1];
  let children: Part[] = [];
  if (type === "multipart" && boundary) {
    const partType = subtype === "digest" ? "message/rfc822" : "text/plain";
    children = splitAt(boundary, body).map((part) => parse(part, partType));
  } else if (type === "message" && subtype === "rfc822") {
    children = [parse(body)];
  }
  return { header, body, type, subtype, parameters, children };
}

/** Header block (with the empty line that ends it) and body. */
export function split(content: string): { header: string; body: string } {
  if (content.startsWith("\r\n")) return { header: "\r\n", body: content.slice(2) };
  const end = content.indexOf("\r\n\r\n");
  if (end < 0) return { header: content, body: "" };
  return { header: content.slice(0, end + 4), body: content.slice(end + 4) };
}

/** The header's fields as they stand, folded lines kept together. */
export function fields(header: string): string[] {
  return header.match(/^[^\s:]+[ \t]*:.*\r\n(?:[ \t]+.*\r\n)*/gm) ?? [];
}

export function fieldName(text: string): string {
  return text.slice(0, text.indexOf(":")).trim().toLowerCase();
}

/** A field's value, unfolded. */
export function field(header: string, name: string): string | undefined {
  const found = fields(header).find((text) => fieldName(text) === name.toLowerCase());
  return found
    ?.slice(found.indexOf(":") + 1)
    .replaceAll(/\r\n(?=[ \t])/g, "")
    .trim();
}

/** `text/plain; charset=utf-8; name="a;b"` and its like. */
export function parseParameters(text: string): { value: string; parameters: Parameters } {
  const value = /^[^;\s]*/.exec(text)?.[0] ?? "";
  const found = text.matchAll(/;\s*([^\s=;]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]*))/g);
  const parameters = [...found].map(
    ([, name = "", quoted, plain = ""]) =>
      [name, quoted?.replaceAll(/\\(.)/g, "$1") ?? plain] as const,
  );
  return { value, parameters };
}

/** The parts between `--boundary` lines; a line break before such a line belongs to it. */
function splitAt(boundary: string, body: string): string[] {
  const [, ...rest] = `\r\n${body}`.split(`\r\n--${boundary}`);
  const last = rest.findIndex((text) => text.startsWith("--"));
  return rest
    .slice(0, last < 0 ? rest.length : last)
    .map((text) => text.replace(/^[ \t]*\r\n/, ""));
}
