import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { START_LIMIT_MS } from "../../support/kube.ts";
import { createPluginRunner, type PluginRunner } from "../../support/plugin-runner.ts";
import { startProduct, type Product } from "../../support/product.ts";

/** What `kubectl city` completes, and what it does with the database of DATABASE_URL. */

const CITIES = ["lisbon", "madrid"];
const LIMIT_MS = 60_000;

let product: Product;
let plugin: PluginRunner;

beforeAll(async () => {
  product = await startProduct({ cities: CITIES, operators: 1, workers: 2 });
  plugin = createPluginRunner(product);
}, START_LIMIT_MS);

afterAll(async () => {
  await product?.stop();
}, LIMIT_MS);

describe("kubectl city", () => {
  test(
    "completes commands, cities, workers and options through kubectl's own completion",
    async () => {
      const complete = async (...words: readonly string[]) => {
        const { stdout } = await plugin.kubectl(["__complete", "city", ...words]);
        return stdout.trim().split("\n");
      };
      expect(await complete("wh")).toEqual([
        "why\twho holds a city, why there, what would move it, what happened last",
        ":4",
      ]);
      expect(await complete("why", "")).toEqual([...CITIES, ":4"]);
      expect(await complete("pin", "madrid", "--to", "worker-2")).toEqual([
        expect.stringMatching(/^worker-2-/),
        ":4",
      ]);
      expect(await complete("dispatcher", "madrid", "g")).toEqual(["greedy", ":4"]);
      expect(await complete("authority", "t")).toEqual([expect.stringMatching(/^take\t/), ":4"]);
      expect((await complete("top", "--o"))[0]).toMatch(/^--once\t/);
    },
    LIMIT_MS,
  );

  test(
    "authority, audit, explain and replay work on the database of DATABASE_URL",
    async () => {
      const env = { DATABASE_URL: product.stack.urls.operator };
      const show = await plugin.kubectl(["city", "authority", "show"], env);
      expect(show.stdout).toMatch(
        /^tokens come from cluster [-0-9a-f]{36}, epoch 1\nthat is this cluster\n$/,
      );
      const take = await plugin.kubectl(["city", "authority", "take", "--yes"], env);
      expect(take.stdout).toBe("this cluster has the authority already, in epoch 1: nothing was changed\n");
      const audit = await plugin.kubectl(["city", "audit"], { DATABASE_URL: product.stack.urls.admin });
      expect([audit.code, audit.stderr]).toEqual([0, ""]);
      const explain = await plugin.kubectl(["city", "explain", "no-such-order"], {
        DATABASE_URL: product.stack.urls.admin,
      });
      expect([explain.code, explain.stderr]).toEqual([
        1,
        "no view shows order no-such-order (any more): say its city with CITY=…\n",
      ]);
      const replay = await plugin.kubectl(["city", "replay", "/no/such/file"]);
      expect([replay.code, replay.stderr]).toEqual([1, expect.stringMatching(/no such file/)]);
      const without = await plugin.kubectl(["city", "audit"], { DATABASE_URL: "" });
      expect([without.code, without.stderr]).toEqual([1, expect.stringMatching(/DATABASE_URL is not set/)]);
    },
    LIMIT_MS,
  );

  test(
    "take hands the database to this cluster only when that is meant, and says who did it",
    async () => {
      const env = { DATABASE_URL: product.stack.urls.operator };
      const other = "99999999-9999-4999-8999-999999999999";
      await product.query("UPDATE authority SET cluster_uid = ?, epoch = epoch + 1 WHERE id = 1", [other]);
      const unsure = await plugin.kubectl(["city", "authority", "take"], env);
      expect([unsure.code, unsure.stderr]).toEqual([
        1,
        expect.stringMatching(new RegExp(`from cluster ${other} .*say --yes`)),
      ]);
      const taken = await plugin.kubectl(["city", "authority", "take", "--yes"], env);
      expect(taken.stdout).toMatch(/^tokens come from this cluster, [-0-9a-f]{36}, in epoch 3\n$/);
      expect(await plugin.events("Namespace", "default")).toContain(
        "AuthorityTaken by admin: kubectl city authority take, epoch 3",
      );
      await product.awaitTicks(CITIES, await product.databaseTimeMs(), LIMIT_MS);
    },
    2 * LIMIT_MS,
  );
});
