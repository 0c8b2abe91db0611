import { expect, test } from "@jest/globals";
import type { Database } from "../../../db/pool.ts";
import { abortable } from "../../../runtime/abort.ts";
import { OperationalError } from "../../../runtime/errors.ts";
import { silentLog } from "../../../runtime/log.ts";
import { createKeeper, type KeepOutcome, type ToKeep } from "../../../worker/story/keeper.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { happensWithin } from "../../support/until.ts";

const LIMIT_MS = 10_000;

function toKeep(tick: number, rest: Partial<ToKeep> = {}): ToKeep {
  return {
    city: "madrid",
    tick: BigInt(tick),
    commitId: `commit-${tick}`,
    dispatcher: "optimal",
    leftOut: 0,
    explanations: new Uint8Array(10),
    record: undefined,
    ...rest,
  };
}

/** A keeper whose database answers each call with `answer`. */
function keeperOn(answer: (tick: unknown, signal: AbortSignal) => Promise<string>) {
  const outcomes: KeepOutcome[] = [];
  const clock = createFakeClock();
  const call: Database["call"] = async (_sql, values, signal) => [
    [{ outcome: await answer(values[1], signal) }],
  ];
  const database = { call } as Database;
  const keeper = createKeeper({
    database,
    clock,
    log: silentLog,
    count: (outcome) => outcomes.push(outcome),
  });
  const settle = (count: number) =>
    happensWithin(LIMIT_MS, `${count} outcomes`, async () => outcomes.length >= count);
  return { keeper, outcomes, clock, settle };
}

test("ticks are kept one after the other, and whatever fails is counted and forgotten", async () => {
  const { keeper, outcomes, settle } = keeperOn(async (tick) => {
    if (tick === 2n)
      throw new OperationalError({ code: "database-schema", remedy: "give-up", message: "no" });
    return tick === 3n ? "no-tick" : "kept";
  });
  for (const tick of [1, 2, 3, 4]) keeper.keep(toKeep(tick));
  await settle(4);
  expect(outcomes).toEqual(["kept", "failed", "no-tick", "kept"]);
  await keeper.close();
});

test("what a database without time cannot take is dropped instead of filling the memory", async () => {
  const { keeper, outcomes } = keeperOn((_tick, signal) =>
    abortable(new Promise<never>(() => undefined), signal),
  );
  const explanations = new Uint8Array(10 * 1_048_576);
  for (let tick = 1; tick <= 20; tick++) keeper.keep(toKeep(tick, { explanations }));
  const dropped = outcomes.filter((outcome) => outcome === "dropped").length;
  expect(dropped).toBeGreaterThanOrEqual(12);
  await keeper.close();
  expect(outcomes).toHaveLength(dropped);
});
