/** nginx's ngx_mail_imap_module. */
import { MAIL, MANY, type Rows, allOf, once, setOf } from "../../language/row.ts";
import { size, rawWords } from "../../language/values.ts";

export const imap = {
  imap_auth: {
    in: MAIL,
    args: MANY,
    read: setOf("plain", "login", "cram-md5", "external", "xoauth2", "oauthbearer"),
    default: ["plain"] as readonly string[],
  },
  imap_capabilities: {
    in: MAIL,
    args: MANY,
    read: allOf(rawWords),
    default: ["IMAP4", "IMAP4rev1", "UIDPLUS"] as readonly string[],
  },
  imap_client_buffer: { in: MAIL, args: 1, read: once(size), default: 4096 },
} satisfies Rows;
