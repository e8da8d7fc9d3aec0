/** Postern's version. */
import manifest from "../package.json" with { type: "json" };

export const version: string = manifest.version;

/** The name for `-v`, with the nginx version that Postern follows. */
export const program = `postern/${version} (as nginx/1.31.5)`;

export const builtBy = `built by Node ${process.versions.node}`;
