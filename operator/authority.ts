import { establishAuthority, raiseEpoch, type AuthorityRow } from "../db/authority.ts";
import type { Database } from "../db/pool.ts";
import { withDeadline } from "../runtime/abort.ts";
import type { Clock } from "../runtime/clock.ts";
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
  /**
   * What a reading of the database showed, begun at `startedMs`, monotonic. An empty database is taken for this cluster.
   * Errors: those of Database, and DeadlineExceeded.
   */
  learn(row: AuthorityRow | undefined, startedMs: number, signal: AbortSignal): Promise<void>;
};

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
  let raisedMs = -Infinity;

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
      raisedMs = clock.monotonicMs();
      if (row !== undefined) take(row);
      return view.kind === "ours" ? view.epoch : undefined;
    },
    async learn(row, startedMs, signal) {
      // A reading from before our own raise does not show it.
      if (startedMs <= raisedMs) return;
      const known =
        row ??
        (await withDeadline(
          { clock, what: "the taking of an empty database", limitMs: LIMIT_MS, signal },
          (limited) => establishAuthority(database, clusterUid, limited),
        ));
      take(known);
    },
  };
}
