/** Where the `dockopt` program is: a list of places, in the order in which they count. Knows nothing of the editor. */

import { constants } from "node:fs";
import { access } from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";

export interface Places {
  /** what the user has set, "" if nothing */
  readonly configured: string;
  /** the interpreter of the selected Python environment */
  readonly python: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
  /** a workspace that is not trusted decides nothing: neither its settings nor its environments count */
  readonly trusted: boolean;
  readonly home: string;
  /** the first folder of the workspace, for a setting that is relative to it */
  readonly folder: string | undefined;
  readonly windows: boolean;
}

export interface Found {
  readonly program: string;
  /** why this one, for the output channel */
  readonly reason: string;
}

/** Return every place where the program may be, the first that exists counts. */
export function candidates(places: Places): Found[] {
  const name = places.windows ? "dockopt.exe" : "dockopt";
  const system = places.windows ? path.win32 : path.posix;
  const found: Found[] = [];
  if (places.trusted && places.configured !== "") {
    // what is set is meant: no other place is looked at
    return [{ program: expanded(places, system), reason: "the setting `dockopt.path`" }];
  }
  if (places.trusted && places.python !== undefined) {
    found.push({ program: system.join(system.dirname(places.python), name), reason: "the selected Python environment" });
  }
  for (const directory of (places.environment["PATH"] ?? places.environment["Path"] ?? "").split(system.delimiter)) {
    // a relative entry would be looked up in the workspace
    if (system.isAbsolute(directory)) found.push({ program: system.join(directory, name), reason: "the PATH" });
  }
  const local = system.join(places.home, ".local");
  found.push(
    { program: system.join(places.environment["PIPX_BIN_DIR"] ?? system.join(local, "bin"), name), reason: "pipx" },
    { program: system.join(places.environment["UV_TOOL_BIN_DIR"] ?? system.join(local, "bin"), name), reason: "uv tool" },
  );
  return found;
}

/** Return the program that is set as an absolute path: `~` is the home, and what is relative lies in the workspace folder. */
function expanded(places: Places, system: path.PlatformPath): string {
  const { configured, folder, home } = places;
  if (configured.startsWith("~/")) return system.join(home, configured.slice(2));
  const inside = configured.replace(/^\$\{workspaceFolder\}[\\/]?/, "");
  return system.isAbsolute(inside) || folder === undefined ? system.normalize(inside) : system.join(folder, inside);
}

/** Return the first place that holds a program that may be started. */
export async function findProgram(places: Places): Promise<Found | undefined> {
  for (const candidate of candidates(places)) {
    try {
      await access(candidate.program, places.windows ? constants.F_OK : constants.X_OK);
      return candidate;
    } catch {
      // the next one
    }
  }
  return undefined;
}

/** The machine as it is; what the editor knows is added by the caller. */
export function thisMachine(): Pick<Places, "environment" | "home" | "windows"> {
  return { environment: process.env, home: os.homedir(), windows: process.platform === "win32" };
}
