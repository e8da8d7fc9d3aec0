/** `env`: the variables of the primary's environment that workers get. */

/** Node, the loader and OpenSSL need these to start a worker as the primary was started. nginx forks and needs none. */
const NEEDED = /^(?:TZ|OPENSSL_CONF|(?:NODE|UV|LD|SSL_CERT)_.*)$/;

/**
 * @param env of `env` directives: `NAME` keeps a variable, `NAME=VALUE` sets one
 * @returns every variable of this process and of `env`; undefined for those that workers do not get
 */
export function workerEnvironment(env: readonly string[]): Readonly<NodeJS.ProcessEnv> {
  const own = Object.entries(process.env);
  const kept = own.map(([name, value]) => [
    name,
    NEEDED.test(name) || env.includes(name) ? value : undefined,
  ]);
  const set = env.flatMap((word) => {
    const equals = word.indexOf("=");
    return equals === -1 ? [] : [[word.slice(0, equals), word.slice(equals + 1)]];
  });
  return Object.fromEntries([...kept, ...set]);
}
