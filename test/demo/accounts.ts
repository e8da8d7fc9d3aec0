// The users of the demo, each with a mailbox on one of the two mail servers.
export const alice = {
  address: "alice@example.test",
  password: "wonderland",
  server: "mail1",
} as const;

export const bob = {
  address: "bob@example.test",
  password: "builder",
  server: "mail2",
} as const;

/** The token of an admin, for a worker that listens on loopback only. */
export const adminToken = "development";
