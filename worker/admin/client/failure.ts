/** Why a command is not done: a sentence for the person at the keyboard. */
export class Failure extends Error {
  override name = "Failure";
}

/** The command itself makes no sense. */
export class Misuse extends Failure {
  override name = "Misuse";
}
