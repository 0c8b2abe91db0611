import { establishAuthority, readAuthority } from "../db/authority.ts";
import type { Database } from "../db/pool.ts";
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
  /** Asks MySQL now and then, soon after trouble, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
};

const KNOWN_INTERVAL_MS = 5_000;
const TROUBLE_INTERVAL_MS = 500;
const READ_LIMIT_MS = 3_000;

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
    const limited = AbortSignal.any([signal, AbortSignal.timeout(READ_LIMIT_MS)]);
    const row =
      (await readAuthority(database, limited)) ?? (await establishAuthority(database, clusterUid, limited));
    const next: AuthorityView =
      row.clusterUid === clusterUid
        ? { kind: "ours", epoch: row.epoch }
        : { kind: "foreign", clusterUid: row.clusterUid, epoch: row.epoch };
    if (next.kind === view.kind) {
      view = next;
      return;
    }
    view = next;
    if (next.kind === "foreign") log.error({ because: next.clusterUid }, "authority found foreign");
    else log.info({}, "authority found ours");
    input.onChange();
  }

  return {
    view: () => view,
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
