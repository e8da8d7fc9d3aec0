/** Why a command is not done: a sentence for the person at the keyboard. */
export class CommandError extends Error {
  override name = "CommandError";
}

/** The command itself makes no sense. */
export class UsageError extends CommandError {
  override name = "UsageError";
}
