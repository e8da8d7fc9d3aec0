import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type FileLine, linesOf } from "../../../../worker/admin/client/lines.ts";
import { inputs } from "../../../support/property.ts";

async function read(...chunks: readonly Uint8Array[]): Promise<FileLine[]> {
  const lines: FileLine[] = [];
  for await (const each of linesOf(streamOf(chunks))) lines.push(each);
  return lines;
}

async function* streamOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

const line = (number: number, text: string, fault: string | null = null) => ({
  number,
  text,
  fault,
});

test("a file that arrives in two chunks gives the same lines, wherever it is cut", async () => {
  const piece = fc.constantFrom("\n", "\r\n", "a", "ü", "名", "\u{FEFF}", ":", "\0", "\r");
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
      const bytes = Buffer.from(`x${pieces.join("")}`);
      const whole = await read(bytes);
      for (let cut = 0; cut <= bytes.length; cut += 1) {
        assert.deepEqual(await read(bytes.subarray(0, cut), bytes.subarray(cut)), whole);
      }
    }),
    inputs(10),
  );
});

test("lines end in LF or CRLF, except for the last one, and a byte order mark is removed", async () => {
  assert.deepEqual(await read(Buffer.from("\u{FEFF}a\r\n\nb")), [
    line(1, "a"),
    line(2, ""),
    line(3, "b"),
  ]);
  assert.deepEqual(await read(), []);
  assert.deepEqual(await read(Buffer.from("a\n")), [line(1, "a")]);
});

for (const [what, bytes, fault] of [
  ["Latin-1", Buffer.from("\xe4:x", "latin1"), /^the line is not UTF-8$/],
  ["a NUL", Buffer.from("a\0b:x"), /U\+0000/],
  ["a terminal's escape sequence", Buffer.from("a\u001b[2Jb:x"), /U\+001B/],
  ["a line of a megabyte", Buffer.alloc(2 ** 20, "a"), /^the line has 1048576 bytes/],
] as const) {
  test(`${what} makes its own line faulty, and no other`, async () => {
    const lines = await read(Buffer.from("a\n"), bytes, Buffer.from("\nb\n"));
    assert.deepEqual([lines[0], lines[2]], [line(1, "a"), line(3, "b")]);
    assert.match(lines[1]?.fault ?? "", fault);
    const { length } = lines[1]!.text;
    assert.ok(length > 0 && length <= 4096);
  });
}

for (const [what, hex, sentence] of [
  ["gzip", "1f8b0800", /compressed; unpack it first \(gunzip\)/],
  ["zip", "504b030414", /archive or a spreadsheet/],
  ["UTF-16", "fffe61003a00", /UTF-16/],
] as const) {
  test(`the error for a ${what} file names the kind of file`, async () => {
    await assert.rejects(read(Buffer.from(hex, "hex")), sentence);
  });
}
