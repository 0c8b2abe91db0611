import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ledgerFigures, type LedgerFigures } from "./ledger-figures.ts";
import type { RunningFleet } from "./running-fleet.ts";
import { increase, readRequestCounts, useOf, type ProcessUse, type RequestCounts } from "./usage.ts";

/** All that is measured over one stretch of time. */
export type Observation = LedgerFigures & {
  readonly seconds: number;
  /** Per second, by "verb resource", most first. */
  readonly requests: readonly (readonly [string, number])[];
  /** Cores, and resident bytes at the end. */
  readonly processes: Readonly<Record<string, { readonly cores: number; readonly residentBytes: number }>>;
  /** Per second. */
  readonly mysql: { readonly questions: number; readonly commits: number };
  readonly latenessMs: readonly number[];
  readonly heartbeatGapsMs: readonly number[];
  readonly dispatches: number;
  readonly loopDelayMs: { readonly p50: number; readonly p99: number; readonly max: number };
};

type Reading = {
  readonly atMs: number;
  readonly databaseMs: number;
  readonly requests: RequestCounts;
  readonly processes: ReadonlyMap<string, ProcessUse>;
  readonly status: ReadonlyMap<string, number>;
};

/** Between now and `durationMs` later. */
export async function observe(fleet: RunningFleet, durationMs: number): Promise<Observation> {
  await samplesOf(fleet);
  const before = await read(fleet);
  await sleep(durationMs);
  const after = await read(fleet);
  const samples = await samplesOf(fleet);
  const figures = await ledgerFigures(fleet, { sinceMs: before.databaseMs, untilMs: after.databaseMs });
  const seconds = (after.atMs - before.atMs) / 1_000;
  const rate = (name: string): number =>
    ((after.status.get(name) ?? 0) - (before.status.get(name) ?? 0)) / seconds;
  return {
    ...figures,
    ...samples,
    seconds,
    requests: increase(before.requests, after.requests).map(([key, count]) => [key, count / seconds]),
    processes: Object.fromEntries(
      [...after.processes].map(([name, { cpuSeconds, residentBytes }]) => [
        name,
        {
          cores: (cpuSeconds - (before.processes.get(name)?.cpuSeconds ?? 0)) / seconds,
          residentBytes,
        },
      ]),
    ),
    mysql: { questions: rate("Questions"), commits: rate("Handler_commit") },
  };
}

async function samplesOf(
  fleet: RunningFleet,
): Promise<Pick<Observation, "latenessMs" | "heartbeatGapsMs" | "dispatches" | "loopDelayMs">> {
  const reports = await Promise.all(fleet.hosts.map(async (host) => host.report()));
  const worst = (which: "p50" | "p99" | "max"): number =>
    Math.max(0, ...reports.map(({ loopDelayMs }) => loopDelayMs[which]));
  return {
    latenessMs: reports.flatMap(({ latenessMs }) => latenessMs).toSorted((left, right) => left - right),
    heartbeatGapsMs: reports
      .flatMap(({ heartbeatGapsMs }) => heartbeatGapsMs)
      .toSorted((left, right) => left - right),
    dispatches: reports.reduce((sum, { dispatches }) => sum + dispatches, 0),
    loopDelayMs: { p50: worst("p50"), p99: worst("p99"), max: worst("max") },
  };
}

/** Of every process of the fleet that is there, by its name. */
export async function usesOf({ stack, hosts }: RunningFleet): Promise<ReadonlyMap<string, ProcessUse>> {
  const mysql = Number(await readFile(join(stack.directory, "mysql", "mysqld.pid"), "utf8"));
  const pids: readonly (readonly [string, number | undefined])[] = [
    ["operator", stack.processes.get("operator-1")?.pid],
    ["API server", stack.api.apiServer.pid],
    ["etcd", stack.api.etcd.pid],
    ["MySQL", mysql],
    ...hosts.map(({ pid }, index) => [`workers ${index + 1}`, pid] as const),
  ];
  const uses = pids.map(async ([name, pid]) =>
    pid === undefined ? [] : [[name, await useOf(pid)] as const],
  );
  return new Map((await Promise.all(uses)).flat());
}

async function read(fleet: RunningFleet): Promise<Reading> {
  const [requests, rows, databaseMs, processes] = await Promise.all([
    readRequestCounts(fleet.stack.api),
    fleet.query("SHOW GLOBAL STATUS WHERE Variable_name IN ('Questions', 'Handler_commit')"),
    fleet.nowMs(),
    usesOf(fleet),
  ]);
  return {
    atMs: performance.now(),
    databaseMs,
    requests,
    processes,
    status: new Map(rows.map((row) => [String(row["Variable_name"]), Number(row["Value"])])),
  };
}
