/** What a host of workers is told and says. Samples are those since the last report. */

export type HostSettings = {
  readonly databaseUrl: string;
  readonly kubeconfigPath: string;
  readonly connectionsMax: number;
  readonly threads: number;
  readonly heartbeatIntervalMs: number;
  readonly drainLimitMs: number;
};

export type Order =
  | { readonly kind: "start"; readonly pods: readonly string[]; readonly version: string }
  | { readonly kind: "drain"; readonly pods: readonly string[] }
  /** From now on the dispatch threads are never idle, until told otherwise. */
  | { readonly kind: "saturate"; readonly isOn: boolean }
  | { readonly kind: "report" };

export type Report = {
  readonly kind: "report";
  /** From the scheduled start of a slot to the start of its tick, of every tick. */
  readonly latenessMs: readonly number[];
  /** From one heartbeat of a worker to the next. */
  readonly heartbeatGapsMs: readonly number[];
  /** Dispatches of a large city that were made beside those of the cities. */
  readonly dispatches: number;
  readonly loopDelayMs: { readonly p50: number; readonly p99: number; readonly max: number };
};

export type Said = { readonly kind: "ready" } | { readonly kind: "drained"; readonly pod: string } | Report;
