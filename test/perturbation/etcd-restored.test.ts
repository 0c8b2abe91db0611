import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { ensureEtcdTools, type EtcdTools } from "../../local/control-plane/etcd-tools.ts";
import { START_LIMIT_MS } from "../support/kube.ts";
import { startProduct, type Product } from "../support/product.ts";
import { happensWithin } from "../support/until.ts";

/** etcd is put back to a backup, as docs/runbooks/etcd-restored.md has it: with its revisions going back, and without. */

const CITIES = ["edited", "suspended", "untouched", "vienna"];
/** From the moment that the API server answers again: reconnecting, noticing, claiming, and one period. */
const RECOVERY_LIMIT_MS = 30_000;
const EFFECT_LIMIT_MS = 15_000;
let tools: EtcdTools;

beforeAll(async () => {
  tools = await ensureEtcdTools((line) => process.stderr.write(`${line}\n`));
}, START_LIMIT_MS);

describe.each([
  { how: "with its revisions going back", bump: {} },
  { how: "with its revisions raised", bump: { bumpRevision: 1_000_000_000 } },
])("after etcd was restored from a backup $how", ({ bump }) => {
  let product: Product;
  let restoredMs: number;

  beforeAll(async () => {
    product = await startProduct({ cities: CITIES, workers: 2, operators: 2 });
    const { api } = product.stack;
    const backup = join(api.directory, "backup.db");
    await tools.save(api.instance, backup);
    // What the backup does not know: an edit, a suspension, and a City. Each moved a fence.
    await merge("edited", { period: "500ms" });
    await merge("suspended", { suspend: true });
    await product.apply("later", { period: "500ms" });
    await product.awaitTicks(["later"], 0, EFFECT_LIMIT_MS);
    await happensWithin(EFFECT_LIMIT_MS, "the seal", async () => (await holder("suspended")) === null);
    await happensWithin(EFFECT_LIMIT_MS, "a tick in the new period", async () => {
      const rows = await product.query("SELECT 1 FROM tick WHERE city = 'edited' AND period_ms = 500");
      return rows.length > 0;
    });
    await api.whileStopped(async (directory) => {
      await rm(directory, { recursive: true });
      await tools.restore(api.instance, { file: backup, directory, ...bump });
    });
    restoredMs = await product.databaseTimeMs();
  }, START_LIMIT_MS);

  afterAll(async () => {
    await product?.stop();
  }, 60_000);

  async function merge(city: string, spec: unknown): Promise<void> {
    const patch = JSON.stringify({ spec });
    const { code, stderr } = await product.stack.api.kubectl([
      "patch",
      "city",
      city,
      "--type=merge",
      "-p",
      patch,
    ]);
    if (code !== 0) throw new Error(stderr);
  }

  async function holder(city: string): Promise<unknown> {
    const [fence] = await product.query("SELECT holder FROM city_fence WHERE city = ?", [city]);
    return fence?.["holder"] ?? null;
  }

  async function epochs(): Promise<readonly number[]> {
    const rows = await product.query("SELECT epoch FROM authority");
    return rows.map((row) => Number(row["epoch"]));
  }

  test("the operator raises the epoch by itself, and says so", async () => {
    await happensWithin(RECOVERY_LIMIT_MS, "the next epoch", async () => (await epochs())[0] === 2);
    await happensWithin(EFFECT_LIMIT_MS, "the event", async () => {
      const { stdout } = await product.stack.api.kubectl([
        "get",
        "events.events.k8s.io",
        "--field-selector=reason=EpochRaised",
        "-o",
        "name",
      ]);
      return stdout !== "";
    });
  }, 60_000);

  test("every City of the backup commits, as the backup specifies it", async () => {
    await product.awaitTicks(CITIES, restoredMs + 1, RECOVERY_LIMIT_MS);
    await happensWithin(RECOVERY_LIMIT_MS, "a tick in the old period", async () => {
      const rows = await product.query(
        "SELECT 1 FROM tick WHERE city = 'edited' AND period_ms = 1000 AND UNIX_TIMESTAMP(committed_at) * 1000 > ?",
        [restoredMs],
      );
      return rows.length > 0;
    });
  }, 90_000);

  test("cities whose assignment the backup knows miss no slot", async () => {
    expect(await product.missedSlots("untouched", restoredMs - 20_000)).toBe(0);
    expect(await product.missedSlots("vienna", restoredMs - 20_000)).toBe(0);
  });

  test("a City that the backup does not know is committed for no more", async () => {
    await happensWithin(RECOVERY_LIMIT_MS, "silence", async () => {
      const rows = await product.query(
        "SELECT 1 FROM city_fence WHERE city = 'later' AND committed_at > UTC_TIMESTAMP(3) - INTERVAL 3 SECOND",
      );
      return rows.length === 0;
    });
  }, 60_000);

  test("operators and workers have not gone blind", async () => {
    await merge("untouched", { period: "250ms" });
    await happensWithin(EFFECT_LIMIT_MS, "a tick in the newest period", async () => {
      const rows = await product.query("SELECT 1 FROM tick WHERE city = 'untouched' AND period_ms = 250");
      return rows.length > 0;
    });
    const sinceMs = await product.databaseTimeMs();
    await product.apply("newest", { period: "500ms" });
    await product.awaitTicks(["newest"], sinceMs, EFFECT_LIMIT_MS);
    const drained = product.stack.processes.get("worker-1");
    drained?.signal("SIGTERM");
    await drained?.exited;
    await product.awaitTicks([...CITIES, "newest"], await product.databaseTimeMs(), EFFECT_LIMIT_MS);
    await happensWithin(EFFECT_LIMIT_MS, "one worker with all", async () => {
      const holdings = await product.holdings();
      return holdings.size === 1 && holdings.has("worker-2");
    });
  }, 90_000);

  test("the auditor is content, and the epoch was raised once", async () => {
    await product.expectAuditClean();
    expect(await epochs()).toEqual([2]);
  }, 60_000);
});
