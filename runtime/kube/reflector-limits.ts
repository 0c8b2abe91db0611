import { RECONNECT_LIMITS, type ReconnectLimits } from "./reconnect.ts";

/** The sizes and times by which a reflector works. */

export type ReflectorLimits = {
  readonly pageSize: number;
  /**
   * A watch without any word for longer than this is opened again. Where anything happens, the API server sends a bookmark
   * about once a minute; where nothing does, it may send none for as long as etcd reports no progress (10 min by default).
   */
  readonly silenceLimitMs: number;
  /** Each watch is asked to end after a random time between the two, so that watches spread over the API servers. */
  readonly watchSecondsMin: number;
  readonly watchSecondsMax: number;
  readonly reconnect: ReconnectLimits;
};

export const REFLECTOR_LIMITS: ReflectorLimits = {
  pageSize: 500,
  silenceLimitMs: 90_000,
  watchSecondsMin: 300,
  watchSecondsMax: 600,
  reconnect: RECONNECT_LIMITS,
};
