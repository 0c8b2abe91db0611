import { pathToFileURL } from "node:url";
import { access } from "node:fs/promises";
import { join } from "node:path";
import type { DispatcherFailure } from "../../db/dispatcher-failure.ts";
import { dispatch } from "../dispatch/dispatch.ts";
import { dispatchGreedily } from "../dispatch/greedy.ts";
import type { OwnDispatcher } from "./own-dispatcher.ts";

/** The dispatchers that come with the product, by the names that a City calls them by. */
export const BUILT_IN = { optimal: dispatch, greedy: dispatchGreedily } as const;

export type LoadedDispatcher = {
  readonly dispatcher: OwnDispatcher;
  /** It comes with the product, and is trusted to leave its snapshot as it is and to answer in the right form. */
  readonly isBuiltIn: boolean;
};

export type LoadOutcome =
  | ({ readonly kind: "loaded" } & LoadedDispatcher)
  | {
      readonly kind: "failed";
      readonly because: Extract<DispatcherFailure, "unknown" | "not-loaded">;
      readonly message: string;
    };

export type LoadDispatcher = (name: string) => Promise<LoadOutcome>;

/** As `crds/city.yaml` has it; no name leads out of the folder. */
const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const EXTENSIONS = [".js", ".ts"] as const;

/**
 * Finds dispatchers by name: our own first, then the modules in `folder`, each loaded once per thread. A changed module
 * takes effect when the worker is started anew.
 */
export function createLoader(folder: string | undefined): LoadDispatcher {
  return async (name) => {
    if (name === "optimal" || name === "greedy") {
      return { kind: "loaded", dispatcher: BUILT_IN[name], isBuiltIn: true };
    }
    const path = await pathOf(folder, name);
    if (path === undefined) {
      const message = `no dispatcher ${JSON.stringify(name)}: ${folder === undefined ? "the worker has no folder DISPATCHERS" : `there is no ${name}.js or ${name}.ts in ${folder}`}`;
      return { kind: "failed", because: "unknown", message };
    }
    try {
      const module = (await import(pathToFileURL(path).href)) as { readonly dispatch?: unknown };
      if (typeof module.dispatch === "function") {
        return { kind: "loaded", dispatcher: module.dispatch as OwnDispatcher, isBuiltIn: false };
      }
      return { kind: "failed", because: "not-loaded", message: `${path} exports no function "dispatch"` };
    } catch (error) {
      return {
        kind: "failed",
        because: "not-loaded",
        message: `${path} could not be loaded: ${textOf(error)}`,
      };
    }
  };
}

async function pathOf(folder: string | undefined, name: string): Promise<string | undefined> {
  if (folder === undefined || !NAME.test(name)) return undefined;
  for (const extension of EXTENSIONS) {
    const path = join(folder, `${name}${extension}`);
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}

function textOf(error: unknown): string {
  return Error.isError(error) ? error.message : String(error);
}
