import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CHART } from "../support/helm.ts";
import { happensWithin } from "../support/until.ts";
import { createInstallation, RELEASE, type Installation } from "./harness/installation.ts";
import { troubledBy } from "./harness/planned-work.ts";
import { rolledOut, workerPods } from "./harness/workers.ts";
import { START_LIMIT_MS, startWorld, type World } from "./harness/world.ts";

/** A release from its first, unlucky day over upgrade and rollback to its end and its return. */

const CITIES = ["madrid", "paris", "london", "berlin", "lisbon", "rome"];
const PERIOD_MS = 2_000;
const LIMIT_MS = 300_000;
const UNREADY_MS = 10_000;

let world: World;
let product: Installation;
let newerChart: string;

beforeAll(async () => {
  world = await startWorld("lifecycle");
  product = await createInstallation(world, "delivery");
  newerChart = await mkdtemp(join(tmpdir(), "city-operator-chart-"));
  await cp(CHART, newerChart, { recursive: true });
  const crd = join(newerChart, "files", "city.yaml");
  await writeFile(crd, (await readFile(crd, "utf8")).replace("shortNames: [cty]", "shortNames: [cty, town]"));
}, START_LIMIT_MS);

afterAll(async () => {
  await product?.close();
  await world?.stop();
  await rm(newerChart, { recursive: true, force: true });
}, 60_000);

const restarts = (): Promise<string> =>
  product.kubectl(["get", "pods", "--output=jsonpath={.items[*].status.containerStatuses[*].restartCount}"]);

async function expectNoSlotMissed(work: () => Promise<void>): Promise<void> {
  const input = { cities: CITIES, periodMs: PERIOD_MS, movesMax: Number.POSITIVE_INFINITY };
  expect(await troubledBy(product, input, work)).toEqual([]);
}

test("a wrong value fails with a sentence that names it", async () => {
  const attempt = product.helm("install", world.images[0], { settings: ["worker.replicas=many"] });
  await expect(attempt).rejects.toThrow(/worker\/replicas|worker\.replicas/);
}, 60_000);

test(
  "without accounts and schema the Pods run, are not ready, say why, and do not restart",
  async () => {
    await product.helm("install", world.images[0], { settings: ["migration.enabled=false"], waits: false });
    await happensWithin(60_000, "every worker says why it is not ready", async () => {
      const pods = await workerPods(product);
      // A container that is still being made has no log.
      const logs = await Promise.all(
        pods.map((pod) => world.kubectl([`--namespace=${product.namespace}`, "logs", pod])),
      );
      return logs.length === 2 && logs.every(({ stdout }) => /Access denied|Unknown database/.test(stdout));
    });
    await sleep(UNREADY_MS);
    expect(await restarts()).toBe("0 0 0 0");
  },
  LIMIT_MS,
);

if ((process.env["IMAGE"] ?? "") === "") {
  test(
    "a migration waits for a MySQL that is not up yet, and what was unwell becomes ready without a restart",
    async () => {
      await world.own?.mysql.stop();
      const upgrade = product.helm("upgrade", world.images[0], { settings: ["migration.enabled=true"] });
      const job = `job/${RELEASE}-migrate`;
      await happensWithin(60_000, "the migration says that it waits", async () => {
        const { stdout } = await world.kubectl([`--namespace=${product.namespace}`, "logs", job]);
        return /wait/i.test(stdout);
      });
      await world.own?.mysql.restart();
      await upgrade;
      await rolledOut(product);
      expect(await restarts()).toBe("0 0 0 0");
    },
    LIMIT_MS,
  );
} else {
  test("a migration cures what was unwell", () => product.helm("upgrade", world.images[0]), LIMIT_MS);
}

test(
  "an upgrade with another City resource and a migration of what ticks are committed by misses no slot",
  async () => {
    await product.applyCities(CITIES, `${PERIOD_MS / 1_000}s`);
    await product.awaitTicks(CITIES, 0, 60_000);
    await product.forgetDefinition("protocol/commit-tick.sql");
    await expectNoSlotMissed(async () => {
      await product.helm("upgrade", world.images[1], { chart: newerChart });
      await rolledOut(product);
    });
    expect(await product.kubectl(["get", "town", "madrid", "--output=name"])).toContain("madrid");
  },
  LIMIT_MS,
);

test(
  "a rollback misses no slot",
  async () => {
    await expectNoSlotMissed(async () => {
      await world.helm(["rollback", RELEASE, `--namespace=${product.namespace}`, "--wait", "--timeout=180s"]);
      await rolledOut(product);
    });
  },
  LIMIT_MS,
);

test(
  "an uninstallation leaves the City resource and the Cities, and a new one takes them up where they were",
  async () => {
    const ids = "--output=jsonpath={.items[*].metadata.uid}";
    const before = await product.kubectl(["get", "cities", ids]);
    await world.helm(["uninstall", RELEASE, `--namespace=${product.namespace}`, "--wait"]);
    expect(await product.kubectl(["get", "cities", ids])).toBe(before);
    await product.helm("install", world.images[0]);
    await product.awaitTicks(CITIES, await product.databaseTimeMs(), 30_000);
    expect(await product.kubectl(["get", "cities", ids])).toBe(before);
    await product.expectAuditClean();
  },
  LIMIT_MS,
);
