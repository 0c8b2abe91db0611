import type { FencingToken } from "../../crds/token.ts";
import { CHECKS } from "../../db/audit/checks.ts";
import type { CityHistory } from "../../db/audit/history.ts";
import { activeLoads, capacityOf } from "../support/fake-city-rows.ts";
import type { FakeTables } from "../support/fake-tables.ts";
import type { World } from "./world.ts";

/** Goes over the tables at the end of a run with the auditor's own checks, and over every worker's answers. */
export function checkTables(world: World): void {
  const { tables } = world.database;
  for (const city of tables.cities) {
    const history = historyOf(tables, city);
    if (history === undefined) continue;
    for (const check of CHECKS) {
      for (const violation of check.run(history).violations) {
        world.chronicle.violate(`invariant ${check.invariant}, ${check.title}: ${city}: ${violation}`);
      }
    }
  }
  checkAcknowledged(world);
}

/** Invariant 5: what was answered `committed` is there, unless a fail-over lost it or its time in the ledger is over. */
function checkAcknowledged({ chronicle, database: { tables } }: World): void {
  const present = new Map(
    tables.cities.map((city) => {
      const { ticks } = tables.city(city);
      return [city, { first: ticks[0]?.tick ?? 0n, ids: new Set(ticks.map(({ commitId }) => commitId)) }];
    }),
  );
  for (const { city, tick, commitId, executedMs } of chronicle.acknowledged) {
    const ledger = present.get(city);
    if (ledger === undefined || tick < ledger.first || ledger.ids.has(commitId)) continue;
    if (chronicle.wasLost(executedMs)) continue;
    chronicle.violate(`tick ${tick} of ${city} was answered committed and is not there`);
  }
}

function historyOf(tables: FakeTables, city: string): CityHistory | undefined {
  const rows = tables.city(city);
  const { fence } = rows;
  if (fence === undefined) return undefined;
  const byTick = new Map<bigint, number>();
  const first = rows.ticks[0]?.tick ?? 0n;
  for (const { tick } of rows.assignments.values()) {
    if (tick >= first) byTick.set(tick, (byTick.get(tick) ?? 0) + 1);
  }
  const loads = activeLoads(rows);
  return {
    city,
    fence: { ...fence, token: fence.token as FencingToken, holder: fence.holder ?? undefined },
    authorityEpoch: tables.authority?.epoch,
    claims: rows.claims.map((claim) => ({
      ...claim,
      token: claim.token as FencingToken,
      holder: claim.holder ?? undefined,
    })),
    ticks: rows.ticks.map((tick) => ({
      ...tick,
      token: tick.token as FencingToken,
      previousCommitId: tick.previousCommitId ?? undefined,
      dropped: tick.dropped === null ? 0 : (JSON.parse(tick.dropped) as unknown[]).length,
    })),
    assignments: {
      byTick,
      active: [...loads.values()].reduce((sum, load) => sum + load, 0),
      doubled: [],
      ofEndedOrders: [],
      takenForNothing: [],
      bundles: [],
      overloaded: [...loads]
        .map(([courier, active]) => ({ courier, active, capacity: capacityOf(courier) }))
        .filter(({ active, capacity }) => active > capacity),
    },
  };
}
