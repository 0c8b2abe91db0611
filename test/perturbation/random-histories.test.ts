import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { isDeepStrictEqual } from "node:util";
import { randomStream } from "../../local/traffic/random.ts";
import { isOperational } from "../../runtime/errors.ts";
import { START_LIMIT_MS } from "../support/kube.ts";
import { happensWithin } from "../support/until.ts";
import { readEnd, type CityEnd } from "./harness/end-state.ts";
import { playHistory } from "./harness/history.ts";
import { startOperator, startWorker, type RunningOperator, type Surroundings } from "./harness/processes.ts";
import { fieldsOf, nested, type Field, type Schema } from "./harness/schema-values.ts";
import { createUser } from "./harness/user.ts";
import { startPerturbationWorld, type PerturbationWorld } from "./harness/world.ts";

/**
 * Whatever was done to a City before, it ends as if its last specification had been the first (Acto's end states), for
 * values made from the resource's own schema. `SEED=…` replays one history; `PERTURB=all` plays many.
 */

const IS_FULL = process.env["PERTURB"] === "all";
const FIRST_SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 1_000_000));
const HISTORIES = process.env["SEED"] !== undefined ? 1 : IS_FULL ? 24 : 3;
const AT_ONCE = 3;
const VALID_PER_FIELD = IS_FULL ? 20 : 5;
const REST_LIMIT_MS = 30_000;

let world: PerturbationWorld;
let fields: readonly Field[];

beforeAll(async () => {
  world = await startPerturbationWorld();
  const crd = JSON.parse(await world.api.kubectlOk(["get", "crd", "cities.dispatch.city", "-o", "json"])) as {
    spec: { versions: { schema: { openAPIV3Schema: { properties: { spec: Schema } } } }[] };
  };
  fields = fieldsOf(crd.spec.versions[0]!.schema.openAPIV3Schema.properties.spec);
}, START_LIMIT_MS);

afterAll(async () => {
  await world?.stop();
}, 60_000);

describe("the schema", () => {
  let surroundings: Surroundings;

  beforeAll(async () => {
    surroundings = await world.surroundings(world.nextPrefix());
  });

  test("accepts every valid value of every field, and keeps it", async () => {
    const random = randomStream(FIRST_SEED, "valid");
    const user = createUser(surroundings);
    await user.create("valid", { period: "5s" });
    for (const { path, valid } of fields) {
      for (let count = 0; count < VALID_PER_FIELD; count += 1) {
        const value = valid(random);
        await user.edit("valid", nested(path, value));
        const spec: unknown = (await user.city("valid"))?.spec;
        expect([path, path.reduce((at, name) => (at as Record<string, unknown>)[name], spec)]).toEqual([
          path,
          value,
        ]);
      }
    }
  });

  test("refuses every invalid value of every field by the field's name, and applies nothing of it", async () => {
    const user = createUser(surroundings);
    await user.create("invalid", { period: "5s" });
    const before = await user.city("invalid");
    for (const { path, invalid } of fields) {
      const name = path.at(-1) ?? "";
      for (const value of invalid) {
        const what = `${path.join(".")} = ${JSON.stringify(value)}`;
        const wrong = { ...nested(path, value), ...(path[0] === "weight" ? {} : { weight: 7 }) };
        const edited = await user.edit("invalid", wrong).catch((error: unknown) => error);
        const created = await user
          .create("born-wrong", { period: "5s", ...wrong })
          .catch((error: unknown) => error);
        for (const answer of [edited, created]) {
          expect([what, isOperational(answer, "kube-invalid")]).toEqual([what, true]);
          expect((answer as Error).message).toContain(name);
        }
      }
    }
    expect(await user.city("invalid")).toEqual(before);
    expect(await user.city("born-wrong")).toBeUndefined();
  });
});

/** A namespace with an operator and a worker per pool. */
async function startFleet(): Promise<{
  readonly surroundings: Surroundings;
  readonly prefix: string;
  readonly operators: RunningOperator[];
  stop(): Promise<void>;
}> {
  const prefix = world.nextPrefix();
  const surroundings = await world.surroundings(prefix);
  const operators = [startOperator(surroundings)];
  const workers = ["default", "big"].map((pool) => startWorker(surroundings, `in-${pool}`, { pool }));
  return {
    surroundings,
    prefix,
    operators,
    async stop() {
      await Promise.all(workers.map((worker) => worker.stop()));
      for (const { life } of operators) life.end();
      await Promise.all(operators.map(({ ended }) => ended));
    },
  };
}

async function complaintsOf(seed: number): Promise<readonly string[]> {
  const [lived, fresh] = await Promise.all([startFleet(), startFleet()]);
  try {
    const name = `${lived.prefix}city`;
    const { spec, story, complaints } = await playHistory(lived.surroundings, {
      ...lived,
      seed,
      name,
      fields,
    });
    const twin = `${fresh.prefix}city`;
    if (spec !== undefined) await createUser(fresh.surroundings).create(twin, spec);
    let ends: readonly CityEnd[] = [];
    await happensWithin(REST_LIMIT_MS, "the same end", async () => {
      ends = await Promise.all([
        readEnd(lived.surroundings, name, "city"),
        readEnd(fresh.surroundings, twin, "city"),
      ]);
      const [left, right] = ends;
      return left?.city?.isStatusOfLease !== false && isDeepStrictEqual(left, right);
    }).catch(() => undefined);
    const [left, right] = ends;
    const difference = isDeepStrictEqual(left, right)
      ? []
      : [
          `ended as ${JSON.stringify(left)}\n  not as  ${JSON.stringify(right)}\n  after   ${story.join("\n          ")}`,
        ];
    return [...complaints, ...difference].map((complaint) => `SEED=${seed}: ${complaint}`);
  } finally {
    await Promise.all([lived.stop(), fresh.stop()]);
  }
}

test(`a City ends as its last specification says, whatever came before (SEED=${FIRST_SEED})`, async () => {
  const seeds = Array.from({ length: HISTORIES }, (_unused, index) => FIRST_SEED + index);
  const complaints: string[] = [];
  const next = async (): Promise<void> => {
    for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
      complaints.push(...(await complaintsOf(seed)));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  expect(complaints).toEqual([]);
}, 900_000);

test("the auditor is content", async () => {
  await world.expectAuditClean();
}, 60_000);
