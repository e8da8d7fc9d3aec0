// The same script, its bytes in other pieces.
import { type Move, raw, type Script } from "./script.ts";

type Send = Extract<Move, { kind: "send" }>;

function isSend(move: Move): move is Send {
  return move.kind === "send";
}

/** Whether all the client does is to say things, so that it matters to nobody in which pieces. */
export function isDivisible({ moves, first, server: { listen }, leavesSilently }: Script): boolean {
  return (
    moves.length > 0 &&
    moves.every(isSend) &&
    first === undefined &&
    listen === "" &&
    leavesSilently !== true
  );
}

/**
 * The client waits for nothing before it has said all.
 *
 * @param cuts where pieces end, each as a part of the whole
 */
export function inPieces(script: Script, cuts: readonly number[]): Script {
  const moves = script.moves.filter(isSend);
  const bytes = moves.map((move) => move.bytes).join("");
  const replies = moves.reduce((sum, move) => sum + move.replies, 0);
  const places = [0, ...cuts.map((part) => Math.floor(part * bytes.length)), bytes.length];
  const ordered = places.toSorted((a, b) => a - b);
  const pieces = ordered.slice(1).map((end, index) => bytes.slice(ordered[index], end));
  const last = pieces.pop() ?? "";
  const before = pieces.filter((piece) => piece !== "").map((piece) => raw(piece, 0));
  return { ...script, moves: [...before, raw(last, replies)] };
}
