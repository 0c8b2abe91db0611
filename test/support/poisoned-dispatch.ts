import { isMainThread } from "node:worker_threads";
import { registerHooks } from "node:module";

/**
 * Loaded with `node --import` into a worker process and so into its dispatch threads: there it puts `poisonous-dispatch.ts` in
 * the place of both dispatchers. Everything else is the product as it is.
 */
if (!isMainThread) {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const isLoaders = context.parentURL?.endsWith("/worker/dispatchers/load.ts") ?? false;
      return isLoaders && /\/(dispatch|greedy)\.ts$/.test(specifier)
        ? nextResolve(new URL("poisonous-dispatch.ts", import.meta.url).href, context)
        : nextResolve(specifier, context);
    },
  });
}
