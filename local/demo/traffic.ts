import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startChild } from "../process/child.ts";
import type { Stack } from "../stack/stack.ts";
import type { RecordedSummary } from "../traffic/summary.ts";

/** The company's own services, as one process beside the product. */
export type Traffic = {
  /** Aborts when the process has ended: a recorded day is over. */
  readonly ended: AbortSignal;
  stop(): Promise<void>;
  /** The recorded day in its own figures; undefined for synthetic traffic and for a day that was not played to its end. */
  summary(): Promise<string | undefined>;
};

const MAIN = fileURLToPath(new URL("../traffic/main.ts", import.meta.url));

export function startTraffic(input: {
  readonly stack: Stack;
  readonly cities: readonly string[];
  readonly day: string | undefined;
  readonly speed: number;
  readonly seed: number;
}): Traffic {
  const { stack, day } = input;
  const child = startChild({
    name: "traffic",
    command: process.execPath,
    args: ["--disable-warning=ExperimentalWarning", MAIN],
    env: {
      FEED_URL: stack.urls.feed,
      SEED: String(input.seed),
      ...(day === undefined
        ? { CITIES: input.cities.join(","), DAY: "", SPEED: "" }
        : { CITY: input.cities.join(","), DAY: day, SPEED: String(input.speed) }),
    },
    logFile: join(stack.directory, "log", "traffic.log"),
  });
  const ended = new AbortController();
  void child.exited.then(() => ended.abort(new Error("the traffic ended")));
  return {
    ended: ended.signal,
    stop: () => child.stop({ graceMs: 5_000 }),
    async summary() {
      const lines = (await readFile(child.logFile, "utf8")).split("\n");
      const line = lines.find((candidate) => candidate.startsWith('{"summary":'));
      if (line === undefined) return undefined;
      return formatSummary((JSON.parse(line) as { readonly summary: RecordedSummary }).summary);
    },
  };
}

function formatSummary(summary: RecordedSummary): string {
  const minutes = (value: number | undefined): string =>
    value === undefined ? "-" : `${value.toFixed(2)} min`;
  return [
    `orders ${summary.orders}, delivered ${summary.delivered}, undelivered ${summary.undelivered}`,
    `mean click-to-door ${minutes(summary.clickToDoorMinutes)}`,
    `mean ready-to-pickup ${minutes(summary.readyToPickupMinutes)}`,
    `${summary.ordersPerBundle?.toFixed(2) ?? "-"} orders per bundle, ${summary.reassigned} reassigned`,
  ].join(", ");
}
