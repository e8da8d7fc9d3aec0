/** nginx's ngx_mail_imap_module. */
import { MAIL, type Rows, allOf, once } from "./directive.ts";
import { size, someOf, words } from "./values.ts";

export const imap = {
  imap_auth: {
    in: MAIL,
    args: [1, Number.POSITIVE_INFINITY],
    read: allOf(someOf("plain", "login")),
    default: ["plain"] as readonly ("plain" | "login")[],
  },
  imap_capabilities: {
    in: MAIL,
    args: [1, Number.POSITIVE_INFINITY],
    read: allOf(words),
    default: ["IMAP4", "IMAP4rev1", "UIDPLUS"] as readonly string[],
  },
  imap_client_buffer: { in: MAIL, args: 1, read: once(size), default: 4096 },
} satisfies Rows;
