import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { CLOSE_LIMIT_MS, createInstallation, RELEASE, type Installation } from "./harness/installation.ts";
import { troubledBy } from "./harness/planned-work.ts";
import { preparePreviousRelease, type PreviousRelease } from "./harness/previous-release.ts";
import { rolledOut } from "./harness/workers.ts";
import { START_LIMIT_MS, startWorld, type World } from "./harness/world.ts";

/**
 * From the previous release to this one and back: another City resource, another schema, another image and another chart, while
 * cities tick.
 */

const CITIES = Array.from({ length: 10 }, (_, index) => `city-${String(index + 1).padStart(2, "0")}`);
const PERIOD_MS = 2_000;
const MOVES_MAX = 2;
const LIMIT_MS = 300_000;

let world: World;
let product: Installation;
let previous: PreviousRelease;

async function expectNoSlotMissed(work: () => Promise<void>): Promise<void> {
  const input = { cities: CITIES, periodMs: PERIOD_MS, movesMax: MOVES_MAX };
  expect(await troubledBy(product, input, work)).toEqual([]);
}

/** Whether the City resource of the cluster knows this field of the spec. */
async function cityHas(field: string): Promise<boolean> {
  const path = `--output=jsonpath={.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.${field}.type}`;
  return (await product.kubectl(["get", "crd", "cities.dispatch.city", path])) !== "";
}

const migrations = async (): Promise<readonly string[]> =>
  (await product.query("SELECT name FROM schema_version ORDER BY name")).map((row) => String(row["name"]));

beforeAll(async () => {
  world = await startWorld("upgrade");
  previous = await preparePreviousRelease(world);
  product = await createInstallation(world, "delivery");
  await product.helm("install", previous.image, { chart: previous.chart });
  await product.applyCities(CITIES, `${PERIOD_MS / 1_000}s`);
  await product.awaitTicks(CITIES, 0, 60_000);
}, START_LIMIT_MS);

afterAll(async () => {
  await product?.close();
  await world?.stop();
  await previous?.remove();
}, CLOSE_LIMIT_MS);

test(
  "an upgrade from the previous release brings its City resource and its schema along, and misses no slot",
  async () => {
    expect(await cityHas("dispatcher")).toBe(false);
    const before = await migrations();
    await expectNoSlotMissed(async () => {
      await product.helm("upgrade", world.images[0]);
      await rolledOut(product);
    });
    expect(await cityHas("dispatcher")).toBe(true);
    const after = await migrations();
    expect(after).toEqual(expect.arrayContaining([...before]));
    expect(after.length).toBeGreaterThan(before.length);
  },
  LIMIT_MS,
);

test(
  "a rollback to the previous release, on the schema that it does not know, misses no slot",
  async () => {
    await expectNoSlotMissed(async () => {
      await world.helm(["rollback", RELEASE, `--namespace=${product.namespace}`, "--wait", "--timeout=180s"]);
      await rolledOut(product);
    });
    expect(await cityHas("dispatcher")).toBe(false);
    await product.expectAuditClean();
  },
  LIMIT_MS,
);
