import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { type Connection, accept, bind } from "../../../proxy/transport/index.ts";
import { freePorts } from "../../support/ports.ts";

const noIPv6 = networkInterfaces()["lo"]?.some(({ family }) => family === "IPv6")
  ? false
  : "this machine has no IPv6";

/** Who comes next to this address. */
function next(host: string, port: number): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const listener = accept(
      bind({ host, port }),
      (connection) => {
        listener.close();
        connection.close();
        resolve(connection);
      },
      reject,
    );
  });
}

async function call(host: string, port: number): Promise<void> {
  const socket = connect(port, host).resume();
  await once(socket, "close");
}

test(
  "all addresses of IPv4 and of IPv6 may be listened to on one port",
  { skip: noIPv6 },
  async () => {
    const [port] = await freePorts(1);
    const [four, six] = [next("0.0.0.0", port!), next("::", port!)];
    await call("127.0.0.1", port!);
    await call("::1", port!);
    assert.equal((await four).remote.host, "127.0.0.1");
    assert.equal((await six).remote.host, "::1");
  },
);

test("a port that is taken is told in nginx's words", async () => {
  const [port] = await freePorts(1);
  const taken = next("127.0.0.1", port!);
  const message = new RegExp(
    `^Error: bind\\(\\) to 127\\.0\\.0\\.1:${port} failed \\(98: .*in use\\)$`,
  );
  assert.throws(() => bind({ host: "127.0.0.1", port: port! }), message);
  await call("127.0.0.1", port!);
  await taken;
});

test("an address of another machine is told in nginx's words", () => {
  assert.throws(
    () => bind({ host: "192.0.2.1", port: 1143 }),
    /^Error: bind\(\) to 192\.0\.2\.1:1143 failed \(99: /,
  );
});
