import { CITY_LABEL, type Lease, decodeAssignment } from "../../../crds/lease.ts";
import { LEASES } from "../../../runtime/kube/resources.ts";
import { happensWithin } from "../../support/until.ts";
import { startWorker, type RunningWorker, type Surroundings } from "./processes.ts";
import { createUser } from "./user.ts";

/** A short life of a fleet in which everything happens once that an operator writes for. */

/** Names as the scenario knows them; in the cluster each has the prefix of its run. */
export const SCENARIO_CITIES = ["edited", "suspended", "deleted"] as const;

/** How long one step may take, a killed operator and a busy machine included. */
const STEP_LIMIT_MS = 40_000;
const PERIOD = "200ms";
/** Long enough that nobody is called stalled while a successor takes over. */
const STALL_AFTER_TICKS = 50;

/** Runs to its end and leaves the one worker that remains. Rejects with the step that never came true. */
export async function runScenario(
  world: Surroundings,
  nameOf: (city: string) => string,
): Promise<RunningWorker> {
  const user = createUser(world);
  const [edited, suspended, deleted] = SCENARIO_CITIES.map(nameOf) as [string, string, string];
  const step = (what: string, condition: () => Promise<boolean>): Promise<void> =>
    happensWithin(STEP_LIMIT_MS, `${what} (in ${world.namespace})`, condition);
  const started: RunningWorker[] = [];
  const start = (pod: string): RunningWorker => {
    const worker = startWorker(world, pod);
    started.push(worker);
    return worker;
  };
  try {
    const first = start("first");
    const second = start("second");
    for (const name of [edited, suspended, deleted]) {
      await user.create(name, { period: PERIOD, stallAfterTicks: STALL_AFTER_TICKS });
    }
    await step("every City Ready", async () =>
      (await Promise.all([edited, suspended, deleted].map((name) => user.is(name, "Ready")))).every(Boolean),
    );

    await user.edit(edited, { period: "400ms" });
    await user.edit(suspended, { suspend: true });
    await step("the suspension", () => user.is(suspended, "Suspended"));
    await step("the edit", async () => (await taskOf(world, edited))?.period === "400ms");

    const last = start("last");
    await Promise.all([
      first.drain(),
      user.edit(suspended, { suspend: false }),
      step("the resumed City Ready", () => user.is(suspended, "Ready")),
    ]);

    await user.remove(deleted);
    await Promise.all([
      second.drain(),
      step("the deletion", async () => (await user.city(deleted)) === undefined),
    ]);
    await step("every City Ready on the last worker", async () =>
      (await Promise.all([edited, suspended].map((name) => user.is(name, "Ready")))).every(Boolean),
    );
    return last;
  } catch (error) {
    await Promise.all(started.map((worker) => worker.stop()));
    throw error;
  }
}

async function taskOf({ client, namespace }: Surroundings, city: string) {
  const labelSelector = `${CITY_LABEL}=${city}`;
  const { items } = await client.list<Lease>(
    LEASES,
    { namespace, labelSelector },
    AbortSignal.timeout(10_000),
  );
  return items[0] === undefined ? undefined : decodeAssignment(items[0]).task;
}
