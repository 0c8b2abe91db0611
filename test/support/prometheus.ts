import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { declaredMetrics } from "../../local/monitoring/metrics-table.ts";
import { startChild } from "../../local/process/child.ts";
import { ensurePrometheus } from "../../local/prometheus/programs.ts";
import { createMetrics } from "../../runtime/metrics.ts";
import { happensWithin } from "./until.ts";

/** A real Prometheus that reads the metrics of processes of this machine, with the rules of the chart. */
export type Prometheus = {
  /** From now on it reads these: processes by name, with the address that each serves its metrics at. */
  scrape(targets: ReadonlyMap<string, string>): Promise<void>;
  /** The samples of the last minute, a few seconds apart, of all series; throws with Prometheus's words where it does not parse. */
  readonly range: (query: string) => Promise<readonly number[]>;
  /** The samples of now. */
  readonly now: (query: string) => Promise<readonly number[]>;
  stop(): Promise<void>;
};

/** What the chart's PodMonitor and the Prometheus operator give every series. */
export const NAMESPACE_OF_SERIES = "default";
const START_LIMIT_MS = 30_000;
const SCRAPE_INTERVAL = "1s";
const RANGE_SECONDS = 60;
const STEP_SECONDS = 5;

/** Builds Prometheus if this machine has not done so yet. */
export async function startPrometheus(input: {
  readonly directory: string;
  readonly rules: string;
}): Promise<Prometheus> {
  const { directory } = input;
  const { prometheus } = await ensurePrometheus((line) => process.stderr.write(`${line}\n`));
  await mkdir(directory, { recursive: true });
  const targetsFile = join(directory, "targets.json");
  const configuration = {
    global: {
      scrape_interval: SCRAPE_INTERVAL,
      scrape_timeout: SCRAPE_INTERVAL,
      evaluation_interval: SCRAPE_INTERVAL,
    },
    rule_files: [resolve(input.rules)],
    scrape_configs: [
      { job_name: "city-operator", file_sd_configs: [{ files: [targetsFile], refresh_interval: "5s" }] },
    ],
  };
  await writeFile(targetsFile, "[]");
  await writeFile(join(directory, "prometheus.json"), JSON.stringify(configuration));
  const child = startChild({
    name: "prometheus",
    command: prometheus,
    args: [
      `--config.file=${join(directory, "prometheus.json")}`,
      `--storage.tsdb.path=${join(directory, "data")}`,
      "--web.listen-address=127.0.0.1:0",
    ],
    logFile: join(directory, "prometheus.log"),
  });
  let base: string | undefined;
  try {
    await happensWithin(START_LIMIT_MS, "the start of Prometheus", async () => {
      const log = await readFile(child.logFile, "utf8");
      if (child.hasExited()) throw new Error(`Prometheus ended: ${log}`);
      const [, address] = /msg="Listening on".*?address=(\S+)/.exec(log) ?? [];
      base = `http://${address}/api/v1`;
      return address !== undefined && log.includes("Server is ready");
    });
  } catch (error) {
    await child.stop({ graceMs: 1_000 });
    throw error;
  }
  const ask = async (path: string, values: Readonly<Record<string, string>>): Promise<readonly number[]> => {
    const response = await fetch(`${base}/${path}`, { method: "POST", body: new URLSearchParams(values) });
    return samplesOf((await response.json()) as Answer, values["query"] ?? "");
  };
  return {
    async scrape(targets) {
      const groups = [...targets].map(([pod, address]) => ({
        targets: [address],
        labels: { namespace: NAMESPACE_OF_SERIES, pod },
      }));
      await writeFile(targetsFile, JSON.stringify(groups));
    },
    range(query) {
      const end = Date.now() / 1_000;
      return ask("query_range", {
        query,
        start: String(end - RANGE_SECONDS),
        end: String(end),
        step: String(STEP_SECONDS),
      });
    },
    now: (query) => ask("query", { query }),
    stop: () => child.stop({ graceMs: 5_000 }),
  };
}

type Answer =
  | { readonly status: "error"; readonly error: string }
  | {
      readonly status: "success";
      readonly data: {
        readonly result: readonly {
          readonly value?: readonly [number, string];
          readonly values?: readonly (readonly [number, string])[];
        }[];
      };
    };

function samplesOf(answer: Answer, query: string): readonly number[] {
  if (answer.status === "error") throw new Error(`${query}: ${answer.error}`);
  return answer.data.result
    .flatMap(({ value, values = [] }) => (value === undefined ? values : [value]))
    .map(([, sample]) => Number(sample))
    .filter((sample) => !Number.isNaN(sample));
}

/** Where a process of a stack serves its metrics, from its log; a name started again has two starts in it. */
export function metricsAddress(log: string): string {
  const ports = [...log.matchAll(/"port":(\d+).*"(?:operator|worker) started"/g)].map((match) => match[1]);
  const port = ports.at(-1);
  if (port === undefined) throw new Error("the process has not said yet where it serves its metrics");
  return `127.0.0.1:${port}`;
}

/** A series as the processes with these logs have it now, summed up; such as `things_total{kind="seen"}`. */
export async function readSeries(logs: readonly string[], series: string): Promise<number> {
  let sum = 0;
  for (const log of logs) {
    const page = await (await fetch(`http://${metricsAddress(log)}/metrics`)).text();
    const line = page.split("\n").find((candidate) => candidate.startsWith(`${series} `));
    if (line === undefined) throw new Error(`there is no ${series}`);
    sum += Number(line.slice(series.length));
  }
  return sum;
}

/** Every metric that a query names, by how those of this product, of its rules and of Node.js begin. */
export function metricsIn(query: string): readonly string[] {
  return [...query.matchAll(/\b(?:dispatch_|process_|nodejs_|namespace:)[a-z0-9_:]+/g)].map(([name]) => name);
}

const declared = new Map(
  Object.values(declaredMetrics())
    .flat()
    .map((metric) => [metric.name, metric.type]),
);
const ofNode = new Set(
  createMetrics()
    .registry.getMetricsAsArray()
    .map(({ name }) => name),
);

/** Whether a process of this product has such a series: under a metric's own name, or under what a histogram makes of it. */
export function isDeclared(series: string): boolean {
  if (ofNode.has(series)) return true;
  const [, histogram] = /^(.*)_(?:bucket|sum|count)$/.exec(series) ?? [];
  if (histogram !== undefined && declared.get(histogram) === "histogram") return true;
  const type = declared.get(series);
  return type !== undefined && type !== "histogram";
}
