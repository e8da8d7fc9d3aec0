// The side of a child: it tells its parent, and does not outlive it.

export function tellParent(reply: object): void {
  process.send?.(reply);
}

process.once("disconnect", () => process.exit());
