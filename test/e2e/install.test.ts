import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { readFile, writeFile } from "node:fs/promises";
import { happensWithin } from "../support/until.ts";
import { maskCities } from "./harness/cities-table.ts";
import { identityOfWorker } from "./harness/identity.ts";
import { CLOSE_LIMIT_MS, createInstallation, goldenFile, type Installation } from "./harness/installation.ts";
import { troubledBy } from "./harness/planned-work.ts";
import { evict, podsOf, rolledOut, workerDeployment, workerPods } from "./harness/workers.ts";
import { START_LIMIT_MS, startWorld, type World } from "./harness/world.ts";

/** The chart, installed with nothing but the database's Secret, and the planned work that follows: no slot is missed. */

const CITIES = Array.from({ length: 20 }, (_, index) => `city-${String(index + 1).padStart(2, "0")}`);
/** A container that starts takes a second of one of two cores; ticks must not fear for their slots beside it. */
const PERIOD = "2s";
const PERIOD_MS = 2_000;
/** Once away from a worker that ends, and once more where the new fleet is balanced. */
const MOVES_MAX = 2;
const LIMIT_MS = 300_000;

/** Where somebody's cluster has one image only, its Pods are replaced all the same. */
const ROLLOUT = ["operator", "worker"].map((component) => `${component}.podAnnotations.rollout=next`);

let world: World;
let product: Installation;

beforeAll(async () => {
  world = await startWorld("install");
  product = await createInstallation(world, "delivery");
}, START_LIMIT_MS);

afterAll(async () => {
  await product?.close();
  await world?.stop();
}, CLOSE_LIMIT_MS);

/** No slot is missed, and no city moves more often than a rollout needs. */
async function expectNoSlotMissed(work: () => Promise<void>): Promise<void> {
  expect(
    await troubledBy(product, { cities: CITIES, periodMs: PERIOD_MS, movesMax: MOVES_MAX }, work),
  ).toEqual([]);
}

test(
  "helm install with nothing but the database's Secret brings everything to Ready",
  async () => {
    const notes = await product.helm("install", world.images[0]);
    expect(notes).toContain("STATUS: deployed");
    const pods = await product.kubectl(["get", "pods", "--output=jsonpath={.items[*].status.phase}"]);
    expect(pods.split(" ")).toEqual(["Running", "Running", "Running", "Running"]);
  },
  LIMIT_MS,
);

test(
  "20 Cities are dispatched, and kubectl shows them as a person sees them",
  async () => {
    await product.applyCities(CITIES, PERIOD);
    await product.kubectl(["wait", "--for=condition=Ready", "city", "--all", "--timeout=60s"]);
    await product.awaitTicks(CITIES, 0, 30_000);
    // The table shows progress, which is written down at a bounded rate.
    let table = "";
    await happensWithin(30_000, "kubectl shows a tick of every City", async () => {
      table = await product.kubectl(["get", "cities"]);
      return maskCities(table).split("<tick> | <age>").length === CITIES.length + 1;
    });
    const golden = goldenFile("get-cities.txt");
    const masked = maskCities(table);
    if (process.env["GOLDEN"] === "write") await writeFile(golden, masked);
    expect(masked).toBe(await readFile(golden, "utf8"));
  },
  LIMIT_MS,
);

test(
  "a rollout of a new image, workers and operators, misses no slot and moves a city twice at most",
  async () => {
    const before = new Set(await podsOf(product));
    await expectNoSlotMissed(async () => {
      await product.helm("upgrade", world.images[1], { settings: ROLLOUT });
      await rolledOut(product);
    });
    expect((await podsOf(product)).filter((pod) => before.has(pod))).toEqual([]);
  },
  LIMIT_MS,
);

test(
  "scaling up and down misses no slot and moves a city twice at most",
  async () => {
    const deployment = await workerDeployment(product);
    for (const replicas of [3, 2]) {
      await expectNoSlotMissed(async () => {
        await product.kubectl(["scale", deployment, `--replicas=${replicas}`]);
        await rolledOut(product);
      });
    }
  },
  LIMIT_MS,
);

test(
  "workers that are evicted one after the other, as a drain does, honour the disruption budget and miss no slot",
  async () => {
    const [first = "", second = ""] = await workerPods(product);
    await expectNoSlotMissed(async () => {
      expect(await evict(product, first)).toBe("evicted");
      // It has to wait until the first is replaced.
      expect(await evict(product, second)).toBe("refused");
      await rolledOut(product);
    });
    await expectNoSlotMissed(async () => {
      expect(await evict(product, second)).toBe("evicted");
      await rolledOut(product);
    });
    expect(await workerPods(product)).toHaveLength(2);
  },
  LIMIT_MS,
);

test("the namespace admits only Pods that Pod Security calls restricted", async () => {
  const refusal = await product.refused(["run", "loose", "--image=localhost/pause:1"]);
  expect(refusal).toContain('violates PodSecurity "restricted');
}, 60_000);

test("with a worker's token, neither a City Lease nor another worker's Lease nor a City can be written", async () => {
  const { pod, flags } = await identityOfWorker(product);
  const leases = (await product.kubectl(["get", "leases", "--output=name", ...flags])).trim().split("\n");
  const names = leases.map((name) => name.replace("lease.coordination.k8s.io/", ""));
  const others = names.find((name) => name.startsWith("worker-") && !name.startsWith(`worker-${pod}-`));
  const own = names.find((name) => name.startsWith(`worker-${pod}-`));
  const theft = { lease: { holderIdentity: "thief" }, city: { period: "1h" } };
  const replace = ["replace", "--filename=-", ...flags];
  const attempt = async (kind: "lease" | "city", name: string | undefined): Promise<string> => {
    for (;;) {
      const object = JSON.parse(await product.kubectl(["get", kind, name ?? "", "--output=json"])) as {
        spec: object;
      };
      const stolen = { ...object, spec: { ...object.spec, ...theft[kind] } };
      const refusal = await product.refused(replace, JSON.stringify(stolen));
      // Its owner has just written it.
      if (!refusal.includes("(Conflict)")) return refusal;
    }
  };
  expect(await attempt("lease", "city-city-01")).toMatch(/only the City operator writes City Leases/);
  expect(await attempt("lease", others)).toMatch(/writes only its own Leases/);
  expect(await attempt("city", "city-01")).toMatch(/cannot update resource "cities"/);
  expect(await product.refused(["delete", "lease", "city-city-01", ...flags])).toMatch(
    /only the City operator/,
  );
  // The token is good for what a worker does.
  expect(await product.kubectl(["auth", "can-i", "update", "leases", ...flags])).toBe("yes\n");
  expect(own).toBeDefined();
}, 60_000);

test.each([
  "UPDATE city_fence SET token = 0",
  "INSERT INTO tick SELECT * FROM tick LIMIT 1",
  "DELETE FROM tick",
  "DELETE FROM assignment",
  "UPDATE orders SET status = 'cancelled'",
  "UPDATE authority SET epoch = epoch + 1",
])("with a worker's MySQL account, %s is refused", async (sql) => {
  const worker = product.open("worker");
  const answer = worker.query(sql, [], AbortSignal.timeout(10_000));
  await expect(answer).rejects.toMatchObject({ code: "database-denied" });
});

test("after all of it, the auditor finds every invariant kept", async () => {
  await product.expectAuditClean();
}, 60_000);
