// ENVELOPE and BODYSTRUCTURE: a message's header and parts as nested lists (RFC 9051, 7.5.2).
import { field, parseParameters, type Parameters, type Part } from "../mime.ts";
import { nstring } from "./syntax.ts";

export function envelope({ header }: Part): string {
  const from = field(header, "From");
  return list([
    nstring(field(header, "Date")),
    nstring(field(header, "Subject")),
    addresses(from),
    addresses(field(header, "Sender") ?? from),
    addresses(field(header, "Reply-To") ?? from),
    addresses(field(header, "To")),
    addresses(field(header, "Cc")),
    addresses(field(header, "Bcc")),
    nstring(field(header, "In-Reply-To")),
    nstring(field(header, "Message-ID")),
  ]);
}

/** `basic` is what BODY shows, `extended` what BODYSTRUCTURE does. */
export function bodyStructure(part: Part, form: "basic" | "extended"): string {
  const extension = form === "extended" ? [disposition(part), "NIL", "NIL"] : [];
  if (part.type === "multipart") {
    const children = part.children.map((inner) => bodyStructure(inner, form)).join("");
    const own = form === "extended" ? [parameters(part.parameters)] : [];
    return list([children, nstring(part.subtype), ...own, ...extension]);
  }
  const { header, body } = part;
  return list([
    nstring(part.type),
    nstring(part.subtype),
    parameters(part.parameters),
    nstring(field(header, "Content-ID")),
    nstring(field(header, "Content-Description")),
    nstring(field(header, "Content-Transfer-Encoding") ?? "7bit"),
    `${body.length}`,
    ...content(part, form),
    ...(form === "extended" ? ["NIL", ...extension] : []),
  ]);
}

/** Fields of some types only: lines for text, also envelope and structure for a message. */
function content({ type, body, children: [inner] }: Part, form: "basic" | "extended"): string[] {
  const lines = `${body.split("\n").length - 1}`;
  if (type === "text") return [lines];
  return inner ? [envelope(inner), bodyStructure(inner, form), lines] : [];
}

function disposition({ header }: Part): string {
  const text = field(header, "Content-Disposition");
  if (text === undefined) return "NIL";
  const { value, parameters: named } = parseParameters(text);
  return list([nstring(value), parameters(named)]);
}

function parameters(named: Parameters): string {
  return named.length === 0 ? "NIL" : list(named.flat().map(nstring));
}

/** `Name <user@host>, user@host`: quoted names may hold commas. */
const address =
  /(?:"((?:[^"\\]|\\.)*)"\s*|([^<>,"]*))<([^<>@]*)@?([^<>]*)>|([^\s<>,@]+)@([^\s<>,]+)/g;

function addresses(text: string | undefined): string {
  const found = [...(text ?? "").matchAll(address)].map(
    ([, quoted, plain, user, host, bareUser, bareHost]) => {
      const name = quoted?.replaceAll(/\\(.)/g, "$1") ?? plain?.trim();
      return list([
        nstring(name || undefined),
        "NIL",
        nstring(user ?? bareUser),
        nstring(host ?? bareHost),
      ]);
    },
  );
  return found.length === 0 ? "NIL" : `(${found.join("")})`;
}

function list(items: readonly string[]): string {
  return `(${items.join(" ")})`;
}
