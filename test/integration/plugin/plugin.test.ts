import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { START_LIMIT_MS } from "../../support/kube.ts";
import { createPluginRunner, masked, type PluginRunner } from "../../support/plugin-runner.ts";
import { startProduct, type Product } from "../../support/product.ts";
import { assignmentsAtRest } from "../../support/rest.ts";
import { happensWithin } from "../../support/until.ts";

/** `kubectl city`, run by the real kubectl, on the whole product. */

const CITIES = ["lisbon", "madrid", "paris"];
const LIMIT_MS = 60_000;
const REST_LIMIT_MS = 120_000;

let product: Product;
let plugin: PluginRunner;

beforeAll(async () => {
  product = await startProduct({
    cities: CITIES,
    launch: async (stack) => {
      stack.startOperator("operator-1");
      stack.startWorker("worker-1");
      stack.startWorker("worker-2");
      // Only a worker that runs in a Pod can be drained by an annotation.
      const pod = {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "worker-3", labels: { "dispatch.city/component": "worker" } },
        spec: { containers: [{ name: "worker", image: "worker" }] },
      };
      const { stdout, stderr, code } = await stack.api.kubectl(
        ["create", "-f", "-", "-o", "jsonpath={.metadata.uid}"],
        { input: JSON.stringify(pod) },
      );
      if (code !== 0) throw new Error(stderr);
      stack.startWorker("worker-3", { POD_UID: stdout });
    },
  });
  plugin = createPluginRunner(product);
  // One city each.
  await assignmentsAtRest(product);
}, START_LIMIT_MS + REST_LIMIT_MS);

afterAll(async () => {
  await product?.stop();
}, LIMIT_MS);

async function holderOf(name: string): Promise<string> {
  return (await product.city(name))?.status?.assignment?.worker ?? "nobody";
}

async function golden(name: string): Promise<string> {
  return readFile(join(import.meta.dirname, "golden", name), "utf8");
}

describe("kubectl city", () => {
  test("why tells a city's present as a story", async () => {
    const all = await Promise.all(CITIES.map((name) => product.city(name)));
    // Which ones were moved for balance since is nobody's promise.
    const name = all.find((city) => city?.status?.assignment?.because === "new-city")?.metadata.name ?? "";
    const said = masked(await plugin.city("why", name)).replace(name, "CITY");
    expect(said).toBe(await golden("why.txt"));
  });

  test("top shows the fleet on one page", async () => {
    const said = masked(await plugin.city("top", "--once")).replace(/ (new-city|balance)$/gm, " CAUSE");
    expect(said).toBe(await golden("top.txt"));
  });

  test(
    "suspend returns when nothing more is committed, why says so, and resume when it ticks again",
    async () => {
      expect(await plugin.city("suspend", "madrid")).toMatch(
        /^madrid: sealed with token \d+: nothing more is committed/,
      );
      const sealedMs = await product.databaseTimeMs();
      const why = await plugin.kubectl(["city", "why", "madrid"]);
      expect(why.code).toBe(1);
      expect(why.stdout).toMatch(/for now +suspended, until somebody resumes it/);
      expect(why.stdout).toMatch(/Suspended +by admin: kubectl city suspend madrid/);
      expect(await plugin.city("top", "--once")).toMatch(/^3 cities: 2 ready, 1 suspended, none in trouble/);
      expect(await plugin.refusal("move", "madrid", "--to", "worker-1")).toBe(
        "madrid is suspended, nobody holds it: resume it first",
      );
      const [row] = await product.query(
        "SELECT COUNT(*) AS ticks FROM tick WHERE city = 'madrid' AND committed_at > FROM_UNIXTIME(?)",
        [sealedMs / 1_000],
      );
      expect(Number(row?.["ticks"])).toBe(0);
      expect(await plugin.city("resume", "madrid")).toMatch(/^madrid: dispatching: a tick every 1s/);
      expect(await plugin.events("City", "madrid")).toContain("Resumed by admin: kubectl city resume madrid");
    },
    LIMIT_MS,
  );

  test(
    "pin brings a city to a worker and keeps it there, until the pin is ended",
    async () => {
      const target = (await holderOf("madrid")).startsWith("worker-1") ? "worker-2" : "worker-1";
      expect(await plugin.city("pin", "madrid", "--to", target, "--for", "1h")).toMatch(
        new RegExp(`^madrid: held by ${target}-[0-9a-f]{6}, pinned there until 20`),
      );
      const spec = (await product.city("madrid"))?.spec;
      expect(spec?.pin?.worker).toBe(target);
      expect(await plugin.city("why", "madrid")).toMatch(/why there +pinned: a person pinned it there/);
      expect(await plugin.events("City", "madrid")).toContain(
        `Pinned by admin: kubectl city pin madrid --to ${target} --for 1h`,
      );
      await plugin.city("pin", "madrid", "--end");
      expect((await product.city("madrid"))?.spec).not.toHaveProperty("pin");
    },
    LIMIT_MS,
  );

  test(
    "move does the same with a pin that soon ends",
    async () => {
      const holder = await holderOf("madrid");
      const target = holder.startsWith("worker-1") ? "worker-2" : "worker-1";
      const beforeMs = Date.now();
      await plugin.city("move", "madrid", "--to", target);
      expect(await holderOf("madrid")).toMatch(new RegExp(`^${target}-`));
      const until = Date.parse((await product.city("madrid"))?.spec.pin?.until ?? "");
      expect(until - beforeMs).toBeLessThan(121_000 + 10_000);
      await plugin.city("pin", "madrid", "--end");
    },
    LIMIT_MS,
  );

  test(
    "dispatcher lets another one decide, and that ends by itself with no word of anybody",
    async () => {
      expect(await plugin.city("dispatcher", "paris", "greedy", "--for", "6s")).toMatch(
        /^paris: "greedy" decides until 20.*Z, ordered with token \d+/,
      );
      const reason = async () =>
        (await product.city("paris"))?.status?.conditions?.find(({ type }) => type === "Dispatching")?.reason;
      await happensWithin(
        5_000,
        "the condition to say so",
        async () => (await reason()) === "DispatcherOverridden",
      );
      const { generation } = (await product.city("paris"))?.metadata ?? {};
      await happensWithin(
        12_000,
        "its own dispatcher to decide again",
        async () => (await reason()) === "Ticking",
      );
      expect((await product.city("paris"))?.metadata.generation).toBe(generation);
      expect(await plugin.events("City", "paris")).toContain(
        "DispatcherOverridden by admin: kubectl city dispatcher paris greedy --for 6s",
      );
    },
    LIMIT_MS,
  );

  test(
    "drain relieves a worker of its cities by its Pod's annotation, until that is ended",
    async () => {
      await plugin.city("pin", "lisbon", "--to", "worker-3", "--for", "1h");
      expect(await plugin.city("drain", "worker-3")).toMatch(
        /^worker-3-[0-9a-f]{6}: holds nothing, and is given nothing/,
      );
      expect((await product.holdings()).has("worker-3")).toBe(false);
      expect(await plugin.city("top", "--once")).toMatch(/worker-3-[0-9a-f]{6} +draining +0 /);
      expect(await plugin.events("Pod", "worker-3")).toContain(
        "Drained by admin: kubectl city drain worker-3",
      );
      // The pin is still in force, so the city comes back as soon as it may.
      await plugin.city("drain", "worker-3", "--end");
      await happensWithin(10_000, "lisbon to come back", async () =>
        (await holderOf("lisbon")).startsWith("worker-3"),
      );
      await plugin.city("pin", "lisbon", "--end");
      expect(await plugin.refusal("drain", "worker-1")).toMatch(
        /runs in no Pod of namespace default.*send it SIGTERM/,
      );
    },
    LIMIT_MS,
  );

  test(
    "says of what is not there what is",
    async () => {
      expect(await plugin.refusal("why", "atlantis")).toBe(
        "there is no City atlantis in namespace default; there are: lisbon, madrid, paris",
      );
      expect(await plugin.refusal("move", "madrid", "--to", "worker-9")).toMatch(
        /^there is no worker worker-9; there are: worker-1-[0-9a-f]{6}, worker-2-/,
      );
      expect(await plugin.refusal("-n", "nowhere", "suspend", "madrid")).toBe(
        "there is no City madrid in namespace nowhere",
      );
      const usage = await plugin.kubectl(["city", "pin", "madrid", "--to", "worker-1"]);
      expect(usage.code).toBe(2);
      expect(usage.stderr).toMatch(/say until when: --for <duration>, such as --for 30m/);
    },
    LIMIT_MS,
  );

  test("changes nothing for whoever has not the right to change it", async () => {
    const kubeconfig = product.stack.api.users["worker"]?.kubeconfigPath ?? "";
    expect(await plugin.refusal("--kubeconfig", kubeconfig, "suspend", "madrid")).toMatch(
      /User "worker" cannot/,
    );
    expect((await product.city("madrid"))?.spec.suspend).toBe(false);
  });

  test(
    "plan foretells where the operator brings the cities of a worker that dies",
    async () => {
      const [worker = ""] =
        [...(await product.holdings())].toSorted((left, right) => right[1].length - left[1].length)[0] ?? [];
      const theirs = (await product.holdings()).get(worker) ?? [];
      expect(theirs.length).toBeGreaterThan(0);
      const forecast = await plugin.city("plan", "--without", worker);
      const foretold = theirs.map((name) => {
        const line = forecast.split("\n").find((row) => row.startsWith(`${name} `)) ?? "";
        const [, , to, because] = line.split(/ +/);
        return [name, to, because];
      });
      product.stack.processes.get(worker)?.signal("SIGKILL");
      await happensWithin(20_000, "them to be moved", async () => !(await product.holdings()).has(worker));
      const actual = await Promise.all(
        theirs.map(async (name) => {
          await happensWithin(
            5_000,
            "its status",
            async () => !(await holderOf(name)).startsWith(`${worker}-`),
          );
          return [name, await holderOf(name), (await product.city(name))?.status?.assignment?.because];
        }),
      );
      expect(actual).toEqual(foretold);
    },
    2 * LIMIT_MS,
  );
});
