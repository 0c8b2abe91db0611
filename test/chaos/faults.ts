import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../support/until.ts";
import type { Product } from "../support/product.ts";
import type { People } from "./cities.ts";
import { labelOf, type PlannedFault } from "./plan.ts";
import type { Place } from "./processes.ts";

/** What faults are done to. */
export type World = {
  readonly product: Product;
  readonly places: ReadonlyMap<string, Place>;
  readonly people: People;
  readonly narrate: (line: string) => void;
};

/** An end that took so much longer than planned is worth a line. */
const OVERDUE_MS = 5_000;
/** A city commits once a second. */
const COMMIT_WAIT_MS = 2_000;

/**
 * Carries out the plan: each fault begins at its time and is undone at its end, or when the signal aborts, so that nothing
 * is left broken. Rejects when one could not be done or undone.
 */
export async function carryOut(
  world: World,
  plan: readonly PlannedFault[],
  ending: AbortSignal,
): Promise<void> {
  const startedMs = performance.now();
  const underWay: Promise<void>[] = [];
  for (const fault of plan) {
    await pause(startedMs + fault.atMs - performance.now(), ending);
    if (ending.aborted) break;
    const subject = "process" in fault ? ` ${fault.process}` : "city" in fault ? ` ${fault.city}` : "";
    world.narrate(`${labelOf(fault)}${subject} for ${(fault.durationMs / 1_000).toFixed(1)} s`);
    const running = strike(world, fault, ending).finally(() => {
      const overdueMs = performance.now() - startedMs - fault.atMs - fault.durationMs;
      if (overdueMs > OVERDUE_MS)
        world.narrate(`${labelOf(fault)}${subject} over, ${(overdueMs / 1_000).toFixed(1)} s late`);
    });
    // Handled below, when all have been started.
    running.catch(() => undefined);
    underWay.push(running);
  }
  const outcomes = await Promise.allSettled(underWay);
  const failures = outcomes.filter((outcome) => outcome.status === "rejected");
  if (failures.length > 0) throw new AggregateError(failures.map(({ reason }) => reason as unknown));
}

async function strike(world: World, fault: PlannedFault, ending: AbortSignal): Promise<void> {
  const { product } = world;
  const { durationMs } = fault;
  switch (fault.kind) {
    case "link": {
      const link = placeOf(world, fault.process).links[fault.server];
      link.fail(fault.fault);
      await pause(durationMs, ending);
      link.heal();
      return;
    }
    case "kill": {
      const place = placeOf(world, fault.process);
      await place.kill();
      await pause(durationMs, ending);
      place.comeBack(fault.comesBackAs);
      return;
    }
    case "freeze": {
      const place = placeOf(world, fault.process);
      place.freeze();
      await pause(durationMs, ending);
      place.thaw();
      return;
    }
    case "drain":
      placeOf(world, fault.process).drain();
      await pause(durationMs, ending);
      return;
    case "api-server-kill":
      await product.stack.api.killApiServer();
      await pause(durationMs, ending);
      await product.stack.api.restartApiServer();
      return;
    case "mysql-kill":
      await product.mysql.kill();
      await pause(durationMs, ending);
      await product.mysql.restart();
      return;
    case "mysql-freeze":
      product.mysql.freeze();
      await pause(durationMs, ending);
      product.mysql.thaw();
      return;
    case "suspend":
    case "delete":
      await strikeCity(world, fault, ending);
      return;
    default:
      fault satisfies never;
  }
}

async function strikeCity(
  world: World,
  { kind, city, durationMs, commitInFlight }: PlannedFault & { readonly kind: "suspend" | "delete" },
  ending: AbortSignal,
): Promise<void> {
  const { people } = world;
  const link = commitInFlight ? (await holderOf(world, city))?.links.mysql : undefined;
  link?.fail({ kind: "late", from: `commit_tick('${city}'` });
  try {
    const limit = AbortSignal.any([ending, AbortSignal.timeout(COMMIT_WAIT_MS)]);
    await until(() => link?.isHolding !== false, limit).catch(() => undefined);
    const arrive = (): void => link?.heal();
    if (kind === "suspend") await people.suspend(city, durationMs, ending, arrive);
    else await people.remove(city, durationMs, ending, arrive);
  } finally {
    link?.heal();
  }
}

/** Where the city's holder is; undefined when it has none, or when that cannot be read now. */
async function holderOf({ product, places }: World, city: string): Promise<Place | undefined> {
  const holdings = await product.holdings().catch(() => new Map<string, readonly string[]>());
  const [pod] = [...holdings].find(([, cities]) => cities.includes(city)) ?? [];
  return pod === undefined ? undefined : places.get(pod.replace(/-[0-9]+$/, ""));
}

function placeOf({ places }: World, name: string): Place {
  const place = places.get(name);
  if (place === undefined) throw new RangeError(`there is no place ${name}`);
  return place;
}

async function pause(durationMs: number, ending: AbortSignal): Promise<void> {
  if (durationMs > 0) await sleep(durationMs, undefined, { signal: ending }).catch(() => undefined);
}
