// Cuts the bytes of a script into other segments.
import { type Move, raw, type Script } from "./script.ts";

type Send = Extract<Move, { kind: "send" }>;

function isSend(move: Move): move is Send {
  return move.kind === "send";
}

/** True for scripts that only send, so that segments make no difference to what they mean. */
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
 * The script, sent without waiting for a reply before its end.
 *
 * @param cuts the ends of segments, each from 0, the first byte, to 1, the last one
 */
export function inSegments(script: Script, cuts: readonly number[]): Script {
  const moves = script.moves.filter(isSend);
  const bytes = moves.map((move) => move.bytes).join("");
  const replies = moves.reduce((sum, move) => sum + move.replies, 0);
  const ends = [0, ...cuts.map((part) => Math.floor(part * bytes.length)), bytes.length];
  const ordered = ends.toSorted((a, b) => a - b);
  const segments = ordered.slice(1).map((end, index) => bytes.slice(ordered[index], end));
  const last = segments.pop() ?? "";
  const before = segments.filter((segment) => segment !== "").map((segment) => raw(segment, 0));
  return { ...script, moves: [...before, raw(last, replies)] };
}
