import type { KubeClient } from "../../../runtime/kube/kube-api.ts";

/**
 * One client out of two API servers, as a load balancer makes it: what is listed and watched comes from one, everything
 * else goes to the other.
 */
export function composeClient(input: {
  readonly watches: Pick<KubeClient, "list" | "watch">;
  readonly others: KubeClient;
}): KubeClient {
  const { watches, others } = input;
  return {
    namespace: others.namespace,
    list: (...call) => watches.list(...call),
    watch: (...call) => watches.watch(...call),
    get: (...call) => others.get(...call),
    create: (...call) => others.create(...call),
    replace: (...call) => others.replace(...call),
    patch: (...call) => others.patch(...call),
    remove: (...call) => others.remove(...call),
    version: (signal) => others.version(signal),
    close: () => others.close(),
  };
}
