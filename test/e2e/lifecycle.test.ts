import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";
import { happensWithin } from "../support/until.ts";
import { CLOSE_LIMIT_MS, createInstallation, RELEASE, type Installation } from "./harness/installation.ts";
import { rolledOut, workerPods } from "./harness/workers.ts";
import { START_LIMIT_MS, startWorld, type World } from "./harness/world.ts";

/** A release from its first, unlucky day over passwords that were changed to its end and its return. */

const CITIES = ["madrid", "paris", "london", "berlin", "lisbon", "rome"];
const LIMIT_MS = 300_000;
const POLL_MS = 1_000;
const UNREADY_MS = 10_000;
const ROTATED = "changed-in-the-secret-alone";
/** A kubelet that nobody hurries takes a minute and a half to bring a changed Secret. */
const SECRET_LIMIT_MS = 120_000;
const READY_REASON = '{.status.conditions[?(@.type=="Ready")].reason}';

let world: World;
let product: Installation;

beforeAll(async () => {
  world = await startWorld("lifecycle");
  product = await createInstallation(world, "delivery");
}, START_LIMIT_MS);

afterAll(async () => {
  await product?.close();
  await world?.stop();
}, CLOSE_LIMIT_MS);

const restarts = (): Promise<string> =>
  product.kubectl(["get", "pods", "--output=jsonpath={.items[*].status.containerStatuses[*].restartCount}"]);

/** "True False": whether each worker's Pod is ready. */
const readyWorkers = (): Promise<string> =>
  product.kubectl([
    "get",
    "pods",
    "--selector=dispatch.city/component=worker",
    `--output=jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}`,
  ]);

/** The URL that Pods get at the database by, with another password. */
function withPassword(account: "worker" | "admin", password: string): string {
  const url = new URL(product.podUrl(account));
  url.password = password;
  return url.href;
}

/** A kubelet looks at a Pod's Secrets when it looks at the Pod: once a minute or so, or when the Pod has changed. */
async function hurryKubelet(): Promise<void> {
  await product.kubectl(["annotate", "pods", "--all", "--overwrite", `e2e.test/looked-at=${Date.now()}`]);
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
  "a password that the database refuses is said by Pods and Cities, and an upgrade that gives it to the account heals all without a restart",
  async () => {
    await product.applyCities(CITIES, "2s");
    await product.awaitTicks(CITIES, 0, 60_000);
    const before = await restarts();
    await product.writeSecret({ worker: withPassword("worker", ROTATED) });
    await happensWithin(SECRET_LIMIT_MS, "every worker says that it is refused", async () => {
      await hurryKubelet();
      await sleep(POLL_MS);
      const pods = await workerPods(product);
      const logs = await Promise.all(pods.map((pod) => product.kubectl(["logs", pod, "--since=30s"])));
      return logs.length === 2 && logs.every((log) => log.includes("Access denied"));
    });
    await happensWithin(
      60_000,
      "no worker counts as ready, and every City says that it stands still",
      async () => {
        const [ready, cities] = await Promise.all([
          readyWorkers(),
          product.kubectl([
            "get",
            "cities",
            `--output=jsonpath={range .items[*]}${READY_REASON}{"\\n"}{end}`,
          ]),
        ]);
        const reasons = cities.trim().split("\n");
        return ready === "False False" && reasons.every((reason) => /^(MostCities)?Stalled$/.test(reason));
      },
    );

    const healedMs = await product.databaseTimeMs();
    await product.helm("upgrade", world.images[0]);
    await product.kubectl(["wait", "--for=condition=Ready", "city", "--all", "--timeout=60s"]);
    await product.awaitTicks(CITIES, healedMs, 60_000);
    await product.expectAuditClean();
    expect(await restarts()).toBe(before);
  },
  LIMIT_MS,
);

test(
  "an upgrade whose administrator the database refuses fails, and what runs goes on without missing a slot",
  async () => {
    const sinceMs = await product.databaseTimeMs();
    const worker = withPassword("worker", ROTATED);
    await product.writeSecret({ worker, admin: withPassword("admin", "wrong") });
    const settings = ["migration.waitSeconds=5"];
    await expect(product.helm("upgrade", world.images[1], { settings })).rejects.toThrow(/migrate|hook/);
    await product.awaitTicks(CITIES, await product.databaseTimeMs(), 30_000);
    const missed = await Promise.all(CITIES.map((city) => product.missedSlots(city, sinceMs)));
    expect(missed).toEqual(CITIES.map(() => 0));
    const { stdout } = await world.kubectl([
      `--namespace=${product.namespace}`,
      "logs",
      `job/${RELEASE}-migrate`,
    ]);
    expect(stdout).toContain("Access denied");
    await product.writeSecret({ worker });
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
