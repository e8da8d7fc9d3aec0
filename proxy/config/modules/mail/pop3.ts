/** nginx's ngx_mail_pop3_module. */
import { MAIL, MANY, type Rows, allOf, setOf } from "../../language/row.ts";
import { rawWords } from "../../language/values.ts";

export const pop3 = {
  pop3_auth: {
    in: MAIL,
    args: MANY,
    read: setOf("plain", "apop", "cram-md5", "external", "xoauth2", "oauthbearer"),
    default: ["plain"] as readonly string[],
  },
  pop3_capabilities: {
    in: MAIL,
    args: MANY,
    read: allOf(rawWords),
    default: ["TOP", "USER", "UIDL"] as readonly string[],
  },
} satisfies Rows;
