// Waits for states that tell no event: of another process, of a file, of a page over HTTP.

/** ms from one look to the next. */
const TURN = 20;
/** Looks before it gives up. The test then says what it waited for, before the runner ends it without a word. */
const TURNS = 5000;

type Maybe<Found> = Found | null | undefined | false;

/**
 * Looks again and again until there is something to find, and returns it.
 *
 * @param what the awaited state, in words that follow "waited in vain until"
 * @param find returns null, undefined or false while it is not so
 * @throws Error with `what` after 5,000 looks
 */
export async function eventually<Found>(
  what: string,
  find: () => Maybe<Found> | Promise<Maybe<Found>>,
): Promise<Found> {
  for (let turn = 0; turn < TURNS; turn++) {
    const found = await find();
    if (found !== null && found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, TURN));
  }
  throw new Error(`waited in vain until ${what}`);
}
