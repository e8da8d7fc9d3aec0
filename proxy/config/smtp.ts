/** nginx's ngx_mail_smtp_module. */
import { MAIL, type Rows, allOf, once } from "./directive.ts";
import { size, someOf, words } from "./values.ts";

export const smtp = {
  smtp_auth: {
    in: MAIL,
    args: [1, Number.POSITIVE_INFINITY],
    read: allOf(someOf("plain", "login")),
    default: ["plain", "login"] as readonly ("plain" | "login")[],
  },
  smtp_capabilities: {
    in: MAIL,
    args: [1, Number.POSITIVE_INFINITY],
    read: allOf(words),
    default: [] as readonly string[],
  },
  smtp_client_buffer: { in: MAIL, args: 1, read: once(size), default: 4096 },
} satisfies Rows;
