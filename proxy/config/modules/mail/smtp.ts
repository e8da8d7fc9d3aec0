/** nginx's ngx_mail_smtp_module. */
import { MAIL, MANY, type Rows, allOf, once, setOf } from "../../language/row.ts";
import { size, time, rawWords } from "../../language/values.ts";

export const smtp = {
  smtp_auth: {
    in: MAIL,
    args: MANY,
    read: setOf("plain", "login", "cram-md5", "external", "xoauth2", "oauthbearer", "none"),
    default: ["plain", "login"] as readonly string[],
  },
  smtp_capabilities: {
    in: MAIL,
    args: MANY,
    read: allOf(rawWords),
    default: [] as readonly string[],
  },
  smtp_greeting_delay: { in: MAIL, args: 1, read: once(time), default: 0 },
  smtp_client_buffer: { in: MAIL, args: 1, read: once(size), default: 4096 },
} satisfies Rows;
