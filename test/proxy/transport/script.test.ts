import fc from "fast-check";
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type Connection,
  Input,
  MORE,
  type Receiver,
  START_TLS,
  type Script,
  ScriptRunner,
  takeBytes,
  takeLine,
} from "../../../proxy/transport/index.ts";
import { inputs } from "../../support/property.ts";

/** The part of a connection that a script needs. */
class WriteRecorder {
  readonly written: (string | Uint8Array)[] = [];
  paused = true;
  receiver!: Receiver;

  write(bytes: string | Uint8Array): boolean {
    this.written.push(bytes);
    return true;
  }
  resume(): void {
    this.paused = false;
  }
}

function asConnection(recorder: WriteRecorder): Connection {
  return recorder as object as Connection;
}

/** Runs a script, and records everything that its owner is told. */
function run(script: (input: Input) => Script<string>, early = "") {
  const connection = new WriteRecorder();
  const input = new Input();
  input.append(Buffer.from(early));
  const events: string[] = [];
  const runner = new ScriptRunner(asConnection(connection), input, script(input), {
    finished: (result) => events.push(`finished ${result}`),
    failed: (error) => events.push(`failed ${error.name}: ${error.message}`),
    sending: ({ name }) => events.push(`sending ${name}`),
    heard: () => events.push("heard"),
    startTls: () => events.push("startTls"),
  });
  runner.start();
  const ends = (): string[] => events.filter((event) => event !== "heard");
  const receive = (text: string): void => connection.receiver.received(Buffer.from(text));
  return { connection, input, runner, events, ends, receive };
}

/** Reads a line, answers it, and reads as many bytes as the line says. */
function* sized(input: Input): Script<string> {
  const line = yield* takeLine(input, 10);
  yield `read ${line}`;
  const text = yield* takeBytes(input, Number(line));
  yield { name: "END", text: "bye\r\n" };
  return text;
}

function* withTls(input: Input): Script<string> {
  yield* takeLine(input, 10);
  yield START_TLS;
  yield "hello";
  return yield* takeLine(input, 10);
}

describe("a script", () => {
  test("finishes once, and leaves the bytes behind the exchange in the input", () => {
    const { connection, input, ends, receive } = run(sized);
    receive("3\r\nabcdef");
    assert.deepEqual(ends(), ["sending END", "finished abc"]);
    assert.deepEqual(connection.written, ["read 3\r\n", "bye\r\n"]);
    assert.equal(input.peek(10), "def");
    connection.receiver.closed(new Error("late"));
    assert.equal(ends().length, 2);
  });

  test("begins with bytes that the input holds already", () => {
    const { events } = run(sized, "2\nok");
    assert.deepEqual(events, ["sending END", "finished ok"]);
  });

  test("makes the runner the receiver, and resumes the connection", () => {
    const { connection, runner } = run(sized);
    assert.equal(connection.receiver, runner);
    assert.equal(connection.paused, false);
  });

  test("fails with the error that it throws", () => {
    const { ends, receive } = run(function* (input) {
      throw new RangeError(yield* takeLine(input, 10));
    });
    receive("no\n");
    assert.deepEqual(ends(), ["failed RangeError: no\n"]);
  });

  test("fails with an Error where it throws another value", () => {
    const { events } = run(function* () {
      yield* [];
      // oxlint-disable-next-line no-throw-literal, typescript/only-throw-error -- the promise under test
      throw "text";
    });
    assert.deepEqual(events, ["failed Error: text"]);
  });

  test("fails with TooLong where a line has no end", () => {
    const { ends, receive } = run(sized);
    receive("123456789");
    assert.deepEqual(ends(), []);
    receive("0");
    assert.deepEqual(ends(), ["failed TooLong: "]);
  });

  test("fails once where the peer ends and then closes the connection", () => {
    const { connection, ends, receive } = run(sized);
    receive("3\nab");
    connection.receiver.ended();
    connection.receiver.closed(null);
    assert.deepEqual(ends(), ["failed PeerClosed: closed the connection"]);
  });

  test("fails with the connection's error where there is one", () => {
    const { connection, ends } = run(sized);
    connection.receiver.closed(new Error("reset"));
    assert.deepEqual(ends(), ["failed Error: reset"]);
  });

  test("tells its owner nothing after a cancel, and sends nothing more", () => {
    const { connection, runner, ends, receive } = run(sized);
    runner.cancel();
    receive("1\na");
    connection.receiver.ended();
    connection.receiver.closed(new Error("reset"));
    assert.deepEqual(ends(), []);
    assert.deepEqual(connection.written, []);
  });

  test("stops where its owner cancels it while a command is about to be sent", () => {
    const connection = new WriteRecorder();
    const input = new Input();
    input.append(Buffer.from("1\na"));
    const runner: ScriptRunner<string> = new ScriptRunner(
      asConnection(connection),
      input,
      sized(input),
      {
        finished: () => assert.fail("finished"),
        failed: () => assert.fail("failed"),
        sending: () => runner.cancel(),
      },
    );
    runner.start();
  });

  test("waits at MORE until bytes arrive", () => {
    const { connection, receive } = run(function* () {
      yield MORE;
      yield "now";
      return "";
    });
    assert.deepEqual(connection.written, []);
    receive("x");
    assert.deepEqual(connection.written, ["now"]);
  });
});

describe("a script that asks for TLS", () => {
  test("goes on once the connection is secured", () => {
    const { connection, runner, ends, receive } = run(withTls);
    receive("go\n");
    assert.deepEqual(ends(), ["startTls"]);
    assert.deepEqual(connection.written, []);
    runner.secured();
    assert.deepEqual(connection.written, ["hello"]);
    receive("yes\n");
    assert.deepEqual(ends(), ["startTls", "finished yes\n"]);
  });

  for (const injected of ["x", "more\n"]) {
    test(`fails where the peer sends ${JSON.stringify(injected)} behind its agreement (CVE-2020-14954)`, () => {
      const { connection, ends, receive } = run(withTls);
      receive(`go\n${injected}`);
      assert.deepEqual(ends(), ["failed InjectedPlaintext: sent more than its answer to STARTTLS"]);
      assert.deepEqual(connection.written, []);
    });
  }

  test("takes the error of a handshake from `closed`, not from `ended`", () => {
    const { connection, ends, receive } = run(withTls);
    receive("go\n");
    connection.receiver.ended();
    assert.deepEqual(ends(), ["startTls"]);
    connection.receiver.closed(new Error("no trust"));
    assert.deepEqual(ends(), ["startTls", "failed Error: no trust"]);
  });

  test("ignores `secured` after a cancel, and without a handshake", () => {
    const { connection, runner, receive } = run(withTls);
    runner.secured();
    receive("go\n");
    runner.cancel();
    runner.secured();
    assert.deepEqual(connection.written, []);
  });
});

test("property: a script comes to the same end wherever its input is split", () => {
  const noise = fc.array(fc.constantFrom("1", "2", "3", "9", "\r", "\n", "a"), { maxLength: 24 });
  fc.assert(
    fc.property(
      noise,
      fc.array(fc.boolean(), { minLength: 24, maxLength: 24 }),
      (bytes, splits) => {
        const whole = run(sized);
        whole.receive(bytes.join(""));
        const pieces = run(sized);
        let piece = "";
        for (const [index, byte] of bytes.entries()) {
          piece += byte;
          if (splits[index] !== true) continue;
          pieces.receive(piece);
          piece = "";
        }
        if (piece !== "") pieces.receive(piece);
        assert.deepEqual(pieces.ends(), whole.ends());
        assert.deepEqual(pieces.connection.written, whole.connection.written);
      },
    ),
    inputs(),
  );
});

test("a script comes to the same end when each byte arrives alone", () => {
  const { connection, ends, receive } = run(sized);
  for (const byte of "5\r\nhello") receive(byte);
  assert.deepEqual(ends(), ["sending END", "finished hello"]);
  assert.deepEqual(connection.written, ["read 5\r\n", "bye\r\n"]);
});
