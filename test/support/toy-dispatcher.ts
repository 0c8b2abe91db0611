import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createFence, type DecisionRow } from "../../db/fence.ts";
import type { Database } from "../../db/pool.ts";
import { readSnapshot, type CitySnapshot } from "../../db/snapshot.ts";
import { systemClock } from "../../runtime/clock.ts";
import { isOperational } from "../../runtime/errors.ts";
import { CLUSTER, tokenOf } from "./mysql.ts";

/** A dispatcher as simple as it can be: every open order goes to the first idle courier who has not declined it. */

const PERIOD_MS = 60;
const CALL_LIMIT_MS = 2_000;

/**
 * Claims the city and commits ticks through the real procedures until the signal aborts. Whatever goes wrong, it claims
 * again, so that it outlives restarts of the server.
 */
export async function runToyDispatcher(
  input: { readonly database: Database; readonly city: string },
  signal: AbortSignal,
): Promise<void> {
  const { database, city } = input;
  const fence = createFence({ database, clock: systemClock });
  for (let token = 1; !signal.aborted; token++) {
    try {
      await holdCity({ database, city, fence, token }, signal);
    } catch (error) {
      if (!isOperational(error) && !signal.aborted) throw error;
    }
    await pause(signal);
  }
}

async function holdCity(
  input: {
    readonly database: Database;
    readonly city: string;
    readonly fence: ReturnType<typeof createFence>;
    readonly token: number;
  },
  signal: AbortSignal,
): Promise<void> {
  const { database, city, fence } = input;
  const token = tokenOf(input.token);
  const limited = (): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(CALL_LIMIT_MS)]);
  const claim = await fence.claim(
    { city, clusterUid: CLUSTER, epoch: 1n, token, holder: `toy-${input.token}` },
    limited(),
  );
  if (claim.kind !== "claimed") return;
  while (!signal.aborted) {
    const snapshot = await readSnapshot(database, city, limited());
    const outcome = await fence.commit(
      {
        city,
        epoch: claim.epoch,
        token,
        tick: snapshot.tick + 1n,
        commitId: randomUUID(),
        previousCommitId: snapshot.commitId,
        slotMs: snapshot.databaseTimeMs,
        periodMs: PERIOD_MS,
        snapshotTick: snapshot.tick,
        degraded: false,
        decisions: decide(snapshot),
      },
      limited(),
    );
    if (outcome.kind !== "committed") return;
    await pause(signal);
  }
}

function decide(snapshot: CitySnapshot): readonly DecisionRow[] {
  const idle = snapshot.couriers.filter((courier) => courier.activeLoad === 0);
  const decisions: DecisionRow[] = [];
  for (const order of snapshot.orders) {
    if (order.courierId !== undefined) continue;
    const index = idle.findIndex(({ courierId }) => !order.declinedBy.includes(courierId));
    const [courier] = index < 0 ? [] : idle.splice(index, 1);
    if (courier !== undefined) {
      decisions.push({ order: order.orderId, courier: courier.courierId, stop: 1, from: undefined });
    }
  }
  return decisions;
}

async function pause(signal: AbortSignal): Promise<void> {
  await sleep(PERIOD_MS, undefined, { signal }).catch(() => undefined);
}
