/** Postern's own version. */
import manifest from "../package.json" with { type: "json" };

export const version: string = manifest.version;

/** How it names itself, and the nginx that it follows. */
export const program = `postern/${version} (as nginx/1.31.5)`;

export const builtBy = `built by Node ${process.versions.node}`;
