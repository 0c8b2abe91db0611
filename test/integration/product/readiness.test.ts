import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { freePort } from "../../../local/control-plane/instance.ts";
import { START_LIMIT_MS } from "../../support/kube.ts";
import { startProduct, type Product } from "../../support/product.ts";
import { happensWithin } from "../../support/until.ts";

/** What real processes say of themselves while they cannot work, and that they recover by themselves. */

type Answer = { readonly status: number; readonly text: string };

let product: Product;
let operatorPort: number;
let workerPort: number;
let urlFile: string;

beforeAll(async () => {
  [operatorPort, workerPort] = [await freePort(), await freePort()];
  product = await startProduct({
    cities: [],
    launch: async (stack) => {
      urlFile = join(stack.directory, "worker-url");
      await writeFile(urlFile, stack.urls.worker.replace(":worker@", ":wrong@"));
      // With the rights of a worker, which may not see what an operator must.
      stack.startOperator("operator-1", {
        PROBE_PORT: String(operatorPort),
        KUBECONFIG: stack.api.users["worker"]?.kubeconfigPath ?? "",
      });
      stack.startWorker("worker-1", {
        PROBE_PORT: String(workerPort),
        DATABASE_URL: "",
        DATABASE_URL_FILE: urlFile,
      });
    },
  });
}, START_LIMIT_MS);
afterAll(async () => {
  await product?.stop();
});

async function ask(port: number, path: string): Promise<Answer | undefined> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(1_000) });
    return { status: answer.status, text: (await answer.text()).trim() };
  } catch {
    return undefined;
  }
}

async function saysWithin(limitMs: number, port: number, expected: RegExp): Promise<void> {
  let last: Answer | undefined;
  await happensWithin(
    limitMs,
    () => `${String(expected)}, but ${last?.text},`,
    async () => {
      last = await ask(port, "/readyz");
      return expected.test(last?.text ?? "");
    },
  );
}

describe("a worker", () => {
  test("whose password is wrong lives, says so, and works as soon as its Secret is right", async () => {
    await saysWithin(15_000, workerPort, /Access denied for user 'dispatch_worker'/);
    expect(await ask(workerPort, "/livez")).toEqual({ status: 200, text: "ok" });
    await writeFile(urlFile, product.stack.urls.worker);
    await saysWithin(5_000, workerPort, /^ok$/);
    expect(await product.log("worker-1")).toContain("database found unusable");
  }, 30_000);

  test("whose schema is older than itself names what is missing, until the migration has run", async () => {
    await product.query("DELETE FROM schema_version WHERE name = 'protocol/claim-city.sql'");
    await saysWithin(10_000, workerPort, /the database lacks protocol\/claim-city\.sql: run the migration/);
    await product.query(
      "INSERT INTO schema_version VALUES ('protocol/claim-city.sql', REPEAT('0', 64), NOW())",
    );
    await saysWithin(5_000, workerPort, /^ok$/);
  }, 30_000);

  test("whose rights are taken away says which, and works when they are back", async () => {
    const binding = await product.stack.api.kubectl(["get", "rolebinding", "worker", "-o", "json"]);
    await product.stack.api.kubectl(["delete", "rolebinding", "worker"]);
    await saysWithin(15_000, workerPort, /leases.*forbidden/);
    const { metadata, ...rest } = JSON.parse(binding.stdout) as { metadata: { name: string } };
    const restored = JSON.stringify({ ...rest, metadata: { name: metadata.name } });
    expect(await product.stack.api.kubectl(["create", "-f", "-"], { input: restored })).toMatchObject({
      code: 0,
    });
    await saysWithin(15_000, workerPort, /^ok$/);
  }, 45_000);
});

describe("an operator", () => {
  test("without rights lives, and says which it lacks, until it is given them", async () => {
    await saysWithin(15_000, operatorPort, /namespaces\/kube-system.*forbidden/);
    expect(await ask(operatorPort, "/livez")).toEqual({ status: 200, text: "ok" });
    const bind = (kind: string, role: string) =>
      product.stack.api.kubectl([
        "create",
        kind,
        `late-${role}`,
        `--${kind === "rolebinding" ? "role" : "clusterrole"}=${role}`,
        "--user=worker",
      ]);
    await bind("clusterrolebinding", "city-operator-identity");
    await bind("rolebinding", "operator");
    await saysWithin(30_000, operatorPort, /^ok$/);
  }, 60_000);

  test("says when MySQL is gone, and when it is back", async () => {
    await product.mysql.stop();
    await saysWithin(15_000, operatorPort, /MySQL: .*ECONNREFUSED/);
    await product.mysql.restart();
    await saysWithin(15_000, operatorPort, /^ok$/);
  }, 60_000);
});
