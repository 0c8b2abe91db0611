import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { expect, test } from "@jest/globals";
import { createConnection } from "mysql2/promise";
import { START_LIMIT_MS } from "../../support/kube.ts";
import { startTestMysql } from "../../support/mysql.ts";
import { happensWithin } from "../../support/until.ts";

/** `make demo`, as a newcomer without a terminal sees it. */

type Demo = {
  readonly output: Promise<string>;
  readonly soFar: () => string;
  readonly code: Promise<number | null>;
  readonly signal: (signal: NodeJS.Signals) => void;
};

function runDemo(env: Readonly<Record<string, string>>): Demo {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", "local/demo/main.ts"], {
    env: { ...process.env, DAY: "", SPEED: "", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let soFar = "";
  child.stdout.on("data", (chunk: Buffer) => {
    soFar += chunk.toString();
  });
  return {
    output: text(child.stdout),
    soFar: () => soFar,
    code: new Promise((resolve) => {
      child.once("exit", resolve);
    }),
    signal: (signal) => child.kill(signal),
  };
}

/** Command lines of processes that mention the demo's own folder. */
function leftovers(output: string): string[] {
  const [directory] = /\/\S*city-operator-demo-\w+/.exec(output) ?? [];
  expect(directory).toBeDefined();
  return readdirSync("/proc")
    .filter((entry) => /^[0-9]+$/.test(entry))
    .flatMap((pid) => {
      try {
        return [
          `${readFileSync(`/proc/${pid}/cmdline`, "utf8")} ${readFileSync(`/proc/${pid}/environ`, "utf8")}`,
        ];
      } catch {
        // It ended while we looked.
        return [];
      }
    })
    .filter((line) => line.includes(directory!));
}

test(
  "ends by itself, with a report of the auditor, and leaves no process",
  async () => {
    const demo = runDemo({ DEMO_SECONDS: "12" });
    expect(await demo.code).toBe(0);
    const output = await demo.output;
    const [, firstTickSeconds] = /([0-9.]+) s {2}the first tick is committed/.exec(output) ?? [];
    expect(Number(firstTickSeconds)).toBeLessThan(20);
    expect(output).toMatch(/KUBECONFIG=\S+ \S*kubectl get cities/);
    expect(output).toMatch(/make explain CITY=\S+ DATABASE_URL=mysql:\S+/);
    expect(output).toMatch(/madrid \d+ open, tick [0-9.]+s ago/);
    expect(output).toContain("all invariants hold");
    const [, decisions] = /(\d+) decisions/.exec(output) ?? [];
    expect(Number(decisions)).toBeGreaterThan(0);
    expect(leftovers(output)).toEqual([]);
  },
  START_LIMIT_MS,
);

test("ends on Ctrl-C, and leaves no process", async () => {
  const demo = runDemo({ DEMO_SECONDS: "" });
  await happensWithin(60_000, "the first tick", () => demo.soFar().includes("the first tick is committed"));
  demo.signal("SIGINT");
  expect(await demo.code).toBe(0);
  expect(leftovers(await demo.output)).toEqual([]);
}, 120_000);

test(
  "uses the server of MYSQL_URL, and takes its database off it again",
  async () => {
    const server = await startTestMysql();
    try {
      const demo = runDemo({ DEMO_SECONDS: "5", MYSQL_URL: server.url });
      expect(await demo.code).toBe(0);
      expect(await demo.output).toContain("all invariants hold");
      const connection = await createConnection({ uri: server.url });
      const [databases] = await connection.query("SHOW DATABASES LIKE 'dispatch%'");
      const [users] = await connection.query("SELECT user FROM mysql.user WHERE user LIKE 'dispatch%'");
      await connection.end();
      expect([databases, users]).toEqual([[], []]);
    } finally {
      await server.close();
    }
  },
  START_LIMIT_MS,
);
