// Who has a mailbox in the demo, and on which server.
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
