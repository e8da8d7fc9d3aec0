import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { encoded } from "../../../proxy/bytes.ts";
import { type Kick, KickList, type Login } from "../../../proxy/revocation/index.ts";

const ID = "AAAAAAAAAAAAAAAAAAAAAA";
const OTHER_ID = "BBBBBBBBBBBBBBBBBBBBBA";

function login(
  typed: string | null,
  user: Login["user"] = null,
  replaced: string | null = typed,
): Login {
  return {
    typedLogin: typed === null ? null : encoded(typed),
    login: replaced === null ? null : encoded(replaced),
    user,
  };
}

const kick = (names: readonly string[], user: Kick["user"] = null): Kick => ({
  names,
  user,
  bookmark: null,
});

describe("a kick with a user", () => {
  const kicks = new KickList([
    kick(["other"], { id: OTHER_ID, version: 2 }),
    kick(["anna", "u42"], { id: ID, version: 5 }),
  ]);

  test("ends the logins of the user that were granted at an earlier version, whatever name was typed", () => {
    assert.equal(kicks.ends(login("alias", { id: ID, version: 4 })), true);
    assert.equal(kicks.ends(login("anna", { id: ID, version: 4 })), true);
  });

  test("leaves logins alone that were granted at its version or a later one, and those of other users", () => {
    assert.equal(kicks.ends(login("anna", { id: ID, version: 5 })), false);
    assert.equal(kicks.ends(login("anna", { id: ID, version: 6 })), false);
    assert.equal(kicks.ends(login("anna", { id: "CCCCCCCCCCCCCCCCCCCCCA", version: 1 })), false);
  });

  test("ends logins whose user is not known by either name", () => {
    assert.equal(kicks.ends(login("ANNA")), true);
    assert.equal(kicks.ends(login("alias", null, "u42")), true);
    assert.equal(kicks.ends(login("alias")), false);
    assert.equal(kicks.ends(login("")), false);
    assert.equal(kicks.ends(login(null)), false);
  });
});

test("a kick without a user ends all logins with the name, at any version", () => {
  const kicks = new KickList([kick(["JÖRG@example.test"])]);
  const user = { id: ID, version: 9 };
  assert.equal(kicks.ends(login("jörg@example.test", user)), true);
  assert.equal(kicks.ends(login("alias", user, "jo\u0308rg@example.test")), true);
  assert.equal(kicks.ends(login("alias", user)), false);
});

test("of several kicks of a user the newest counts, in any order", () => {
  const older = kick([], { id: ID, version: 3 });
  const newer = kick([], { id: ID, version: 5 });
  for (const kicks of [new KickList([older, newer]), new KickList([newer, older])]) {
    assert.equal(kicks.ends(login("anna", { id: ID, version: 4 })), true);
  }
});

test("the logins that are ended are counted by kick", () => {
  const kicks = new KickList([kick(["anna"]), kick(["bert"])]);
  for (const name of ["bert", "anna", "BERT", "carl"]) kicks.ends(login(name));
  assert.deepEqual(kicks.ended, [1, 2]);
});
