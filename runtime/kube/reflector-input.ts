import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { KubeClient } from "./kube-api.ts";
import type { ReflectorLimits } from "./reflector-limits.ts";
import type { KubeObject, Resource } from "./resources.ts";
import type { Change } from "./store.ts";

/** What a reflector reflects, and whom it tells. */
export type ReflectorInput<T extends KubeObject> = {
  readonly client: KubeClient;
  readonly resource: Resource;
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Called in order, after the copy has changed. Must not throw. */
  readonly onChange: (change: Change<T>) => void;
  /** After the changes of the first complete list. */
  readonly onSynced?: () => void;
  /** The watch broke or fell silent: until `onRegained`, what happens stays unseen. Not called when a watch ends in good order. */
  readonly onLost?: () => void;
  /** A watch delivers again, and the copy is being brought up to date. */
  readonly onRegained?: () => void;
  /** resourceVersions went back; called before the changes that this brings. */
  readonly onRewritten?: () => void;
  readonly limits?: Partial<ReflectorLimits>;
};
