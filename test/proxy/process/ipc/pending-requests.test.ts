import assert from "node:assert/strict";
import { test } from "node:test";
import { Questions } from "../../../../proxy/process/ipc/pending-requests.ts";

/** Asks, and returns the question's number. */
function asked(questions: Questions<string>): [number: number, answer: Promise<string | null>] {
  let number = 0;
  const answer = questions.ask((question) => (number = question));
  return [number, answer];
}

test("each question has its own answer, in whatever order they come", async () => {
  const questions = new Questions<string>();
  const [one, first] = asked(questions);
  const [two, second] = asked(questions);
  questions.answered(two, "second");
  questions.answered(one, "first");
  assert.deepEqual(await Promise.all([first, second]), ["first", "second"]);
});

test("who keeps silent is not waited for for ever, and may answer too late", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const questions = new Questions<string>();
  const [one, first] = asked(questions);
  t.mock.timers.runAll();
  assert.equal(await first, null);
  questions.answered(one, "late");
  const [two, second] = asked(questions);
  questions.answered(two, "in time");
  assert.equal(await second, "in time");
});

test("who has gone answers all questions at once", async () => {
  const questions = new Questions<string>();
  const [, first] = asked(questions);
  const [, second] = asked(questions);
  questions.gone("nothing");
  assert.deepEqual(await Promise.all([first, second]), ["nothing", "nothing"]);
});
