import { expect, test } from "@jest/globals";
import { systemClock } from "../../../runtime/clock.ts";
import { silentLog } from "../../../runtime/log.ts";
import { createDispatchPool } from "../../../worker/dispatch-pool/dispatch-pool.ts";
import { happensWithin } from "../../support/until.ts";

const EDGES = { clock: systemClock, log: silentLog };

test("a pool is ready once its threads have loaded, before any call", async () => {
  const pool = createDispatchPool({ ...EDGES, threads: 2 });
  expect(pool.isReady()).toBe(false);
  await happensWithin(30_000, "both threads have loaded", () => pool.isReady());
  await pool.close();
}, 40_000);

test("a pool that starts no thread before a call needs one is ready at once", async () => {
  const pool = createDispatchPool({ ...EDGES, threads: 1, startsAtOnce: false });
  expect(pool.isReady()).toBe(true);
  await pool.close();
});
