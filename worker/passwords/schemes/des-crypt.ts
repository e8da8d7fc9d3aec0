/** DES-CRYPT, crypt(3)'s first scheme: it uses seven bits of eight characters, and two characters of salt. */
import desCrypt3 from "unix-crypt-td-js";
import { sameText } from "../algorithms/digest.ts";
import { textOf } from "./encoding.ts";
import { type PasswordScheme, UnreadableHash } from "./scheme.ts";

const FORM = /^[./0-9A-Za-z]{13}$/;

export const desCrypt: PasswordScheme = {
  names: ["DES-CRYPT"],
  weak: true,
  form: FORM,
  read(stored) {
    const text = textOf(stored);
    if (!FORM.test(text)) throw new UnreadableHash("it is malformed");
    return {
      work: { kind: "des-crypt", units: 1 },
      matches: (password) => sameText(desCrypt3(password, text.slice(0, 2)), text),
    };
  },
};
