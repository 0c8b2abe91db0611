import { establishAuthority, raiseEpoch, readAuthority, type AuthorityRow } from "../db/authority.ts";
import type { Database } from "../db/pool.ts";
import { withDeadline } from "../runtime/abort.ts";
import type { Clock } from "../runtime/clock.ts";
import { isOperational } from "../runtime/errors.ts";
import type { Log } from "../runtime/log.ts";
import type { AuthorityView } from "./cities/view.ts";

/**
 * Whether this cluster may hand out tokens for this database. On an empty database it says so itself; a foreign
 * authority is left alone until a person orders the take-over.
 */
export type Authority = {
  view(): AuthorityView;
  /**
   * The cluster's resourceVersions went back: puts its next tokens above all earlier ones, unless somebody else did so since
   * `expectedEpoch` was seen. Returns the epoch as it then is; undefined when the authority is no longer ours. Errors: those
   * of Database.
   */
  raise(expectedEpoch: bigint, signal: AbortSignal): Promise<bigint | undefined>;
  /** Asks MySQL every second, sooner after trouble, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
};

/** After an order to take over, a city that the old cluster is just moving waits this long for the new one. */
const KNOWN_INTERVAL_MS = 1_000;
const TROUBLE_INTERVAL_MS = 500;
const LIMIT_MS = 3_000;

export function createAuthority(input: {
  readonly database: Database;
  readonly clusterUid: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly onChange: () => void;
}): Authority {
  const { database, clusterUid, clock, log } = input;
  let view: AuthorityView = { kind: "unknown" };

  async function look(signal: AbortSignal): Promise<void> {
    const row = await withDeadline(
      { clock, what: "the reading of the authority", limitMs: LIMIT_MS, signal },
      async (limited) =>
        (await readAuthority(database, limited)) ?? (await establishAuthority(database, clusterUid, limited)),
    );
    take(row);
  }

  function take(row: AuthorityRow): void {
    const before = view;
    view =
      row.clusterUid === clusterUid
        ? { kind: "ours", epoch: row.epoch }
        : { kind: "foreign", clusterUid: row.clusterUid, epoch: row.epoch };
    if (view.kind === before.kind) return;
    if (view.kind === "foreign") log.error({ because: view.clusterUid }, "authority found foreign");
    else log.info({}, "authority found ours");
    input.onChange();
  }

  return {
    view: () => view,
    async raise(expectedEpoch, signal) {
      const row = await withDeadline(
        { clock, what: "the raising of the epoch", limitMs: LIMIT_MS, signal },
        (limited) => raiseEpoch(database, { clusterUid, expectedEpoch }, limited),
      );
      if (row !== undefined) take(row);
      return view.kind === "ours" ? view.epoch : undefined;
    },
    async run(signal) {
      while (!signal.aborted) {
        let intervalMs = KNOWN_INTERVAL_MS;
        try {
          await look(signal);
        } catch (error) {
          if (signal.aborted) return;
          if (!isOperational(error)) throw error;
          log.warn({ because: error.code, err: error }, "authority not read");
          intervalMs = TROUBLE_INTERVAL_MS;
        }
        await clock.sleep(intervalMs, signal).catch(() => undefined);
      }
    },
  };
}
