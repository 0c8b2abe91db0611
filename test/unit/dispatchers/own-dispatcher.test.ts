import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "@jest/globals";
import { systemClock } from "../../../runtime/clock.ts";
import { silentLog } from "../../../runtime/log.ts";
import { createDispatchPool, type DispatchPool } from "../../../worker/dispatch-pool/dispatch-pool.ts";
import type { DispatchAnswer } from "../../../worker/dispatch-pool/protocol.ts";

import { createFakeClock } from "../../support/fake-clock.ts";
import { aCourier, anOrder, aQuestion, aSnapshot, assignedTo, at } from "../../support/dispatch-snapshot.ts";

/** A company's own dispatcher in the real thread: what goes right, and all that can go wrong. */

const EXAMPLE = fileURLToPath(new URL("../../../local/dispatchers/nearby.ts", import.meta.url));
const EXAMPLES = dirname(EXAMPLE);
const BAD = fileURLToPath(new URL("../../support/dispatchers", import.meta.url));
const SNAPSHOT = aSnapshot(
  [anOrder("o1"), anOrder("o2", { assignment: assignedTo("c9") })],
  [aCourier("near", { position: at(500) }), aCourier("full", { capacity: 1, load: 1 })],
);
const FOREVER = new AbortController().signal;
const LIMIT_MS = 30_000;
/** Beyond the start of a thread on a busy machine. */
const DEADLINE_MS = 5_000;

let pool: DispatchPool;

afterEach(async () => {
  await pool.close();
});

async function ask(
  folder: string | undefined,
  dispatchers: readonly string[],
  own: Readonly<Record<string, string>> = {},
): Promise<DispatchAnswer> {
  pool = createDispatchPool({ threads: 1, clock: systemClock, log: silentLog, dispatchers: folder });
  return pool.run(SNAPSHOT, aQuestion({ dispatchers, own }), DEADLINE_MS, FOREVER);
}

describe("a company's own dispatcher", () => {
  test(
    "is found by its name and decides, with the parameters that are its own",
    async () => {
      const answer = await ask(EXAMPLES, ["nearby", "optimal", "greedy"]);
      expect(answer).toMatchObject({ by: "nearby", failures: [], refused: [], degraded: false });
      expect(answer.decisions).toEqual([{ order: "o1", courier: "near", stop: 1, from: undefined }]);
      await pool.close();
      const short = await ask(EXAMPLES, ["nearby"], { "reach-meters": "499" });
      expect(short.decisions).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    "is asked to return what it has at its deadline",
    async () => {
      const clock = createFakeClock();
      pool = createDispatchPool({ threads: 1, clock, log: silentLog, dispatchers: EXAMPLES });
      const question = aQuestion({ dispatchers: ["nearby", "optimal"] });
      const answer = await pool.run(SNAPSHOT, question, Number.MIN_VALUE, FOREVER);
      expect(answer).toMatchObject({ by: "nearby", degraded: true, decisions: [] });
    },
    LIMIT_MS,
  );

  test.each([
    ["missing", "unknown", "there is no missing.js or missing.ts in"],
    ["../dispatchers/throwing", "unknown", "no dispatcher"],
    ["broken", "not-loaded", "makes a mistake while it loads"],
    ["misnamed", "not-loaded", 'exports no function "dispatch"'],
    ["throwing", "threw", "the dispatcher made a mistake"],
    ["promising", "malformed", "a dispatcher answers at once"],
    ["garbled", "malformed", "decisions[0].order is not a string"],
    ["inventing", "refused", "unknown-courier"],
  ])(
    "%s is stood in for within the same tick, and the reason is told: %s",
    async (name, because, message) => {
      const answer = await ask(BAD, [name, "optimal", "greedy"]);
      expect(answer.by).toBe("optimal");
      expect(answer.failures).toMatchObject([{ dispatcher: name, because }]);
      expect(answer.failures[0]?.message).toContain(message);
      expect(answer.decisions).toMatchObject([{ order: "o1", courier: "near" }]);
    },
    LIMIT_MS,
  );

  test(
    "that changes its snapshot is judged by the snapshot as it was, decision by decision",
    async () => {
      const answer = await ask(BAD, ["forging", "optimal"]);
      expect(answer.by).toBe("forging");
      expect(answer.decisions).toMatchObject([{ order: "o1", courier: "near" }]);
      expect(answer.refused).toMatchObject([{ decision: { order: "o2" }, because: "order-assigned" }]);
    },
    LIMIT_MS,
  );

  test("is shown in the guide as it runs here", async () => {
    pool = createDispatchPool({ threads: 1, startsAtOnce: false, clock: systemClock, log: silentLog });
    const guide = await readFile("docs/own-dispatcher.md", "utf8");
    expect(guide).toContain(await readFile(EXAMPLE, "utf8"));
  });

  test(
    "needs a worker that was started with a folder of them",
    async () => {
      const answer = await ask(undefined, ["nearby", "greedy"]);
      expect(answer.by).toBe("greedy");
      expect(answer.failures).toMatchObject([{ because: "unknown" }]);
    },
    LIMIT_MS,
  );

  test.each([
    ["hanging", "dispatch-overrun", 1_000],
    ["leaving", "dispatch-crashed", DEADLINE_MS],
  ])(
    "%s costs its own call and its thread alone",
    async (name, code, deadlineMs) => {
      pool = createDispatchPool({ threads: 1, clock: systemClock, log: silentLog, dispatchers: BAD });
      await pool.run(SNAPSHOT, aQuestion(), DEADLINE_MS, FOREVER);
      const question = aQuestion({ dispatchers: [name, "optimal"] });
      await expect(pool.run(SNAPSHOT, question, deadlineMs, FOREVER)).rejects.toMatchObject({ code });
      expect((await pool.run(SNAPSHOT, aQuestion(), DEADLINE_MS, FOREVER)).by).toBe("optimal");
    },
    LIMIT_MS,
  );
});
