/** A command that failed. The message is a sentence for the operator. */
export class CommandError extends Error {
  override name = "CommandError";
}

/** A command that makes no sense. */
export class UsageError extends CommandError {
  override name = "UsageError";
}
