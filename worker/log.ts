/** Writes one line of JSON about something that an operator should see. No secrets, no credentials. */
export function logError(message: string, facts: Record<string, string | undefined> = {}): void {
  console.error(JSON.stringify({ level: "error", message, ...facts }));
}
