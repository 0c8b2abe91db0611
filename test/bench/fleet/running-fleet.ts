import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CITIES, CITY_API_VERSION } from "../../../crds/city.ts";
import { openDatabase, type Database, type Row, type SqlValue } from "../../../db/pool.ts";
import { startStack, type Stack } from "../../../local/stack/stack.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { createKubeClient } from "../../../runtime/kube/client.ts";
import type { KubeClient } from "../../../runtime/kube/kube-api.ts";
import type { KubeObject } from "../../../runtime/kube/resources.ts";
import { silentLog } from "../../../runtime/log.ts";
import type { HostSettings } from "./host-protocol.ts";
import { Host } from "./hosts.ts";

export type FleetSettings = {
  readonly cities: number;
  readonly workers: number;
  readonly periodMs: number;
  readonly heartbeatIntervalMs: number;
  /** Whether the operator writes a CPU profile into out/bench. */
  readonly isProfiled: boolean;
};

const CREATE_CONCURRENCY = 16;
const POLL_MS = 250;
const READ_LIMIT_MS = 30_000;
/** Each host's connections to MySQL, for all of its workers. */
const CONNECTIONS_MAX = 32;
const DRAIN_LIMIT_MS = 300_000;
/** As the chart sets it: what a demo has for a quick change is too tight for a machine that is full. */
const ELECTION = {
  ELECTION_LEASE_DURATION: "15s",
  ELECTION_RENEW_DEADLINE: "10s",
  ELECTION_RETRY_PERIOD: "2s",
};
const never = new AbortController().signal;

/** Real servers, a real operator process, and workers by the hundred in few processes. */
export class RunningFleet {
  readonly settings: FleetSettings;
  readonly stack: Stack;
  readonly kube: KubeClient;
  hosts: Host[] = [];
  readonly #database: Database;
  #started = 0;

  private constructor(settings: FleetSettings, stack: Stack) {
    this.settings = settings;
    this.stack = stack;
    this.kube = createKubeClient({
      kubeconfig: { kind: "file", path: stack.api.kubeconfigPath },
      connectionsMax: CREATE_CONCURRENCY,
    });
    this.#database = openDatabase({
      url: stack.urls.admin,
      connectionsMax: 2,
      log: silentLog,
      clock: systemClock,
    });
  }

  /** With every City there, and nobody yet who would do anything about it. */
  static async start(settings: FleetSettings, progress: (line: string) => void): Promise<RunningFleet> {
    const directory = await mkdtemp(join(tmpdir(), "city-operator-fleet-"));
    const stack = await startStack({ directory, progress }, never);
    const fleet = new RunningFleet(settings, stack);
    try {
      await fleet.#createCities();
      return fleet;
    } catch (error) {
      await fleet.stop();
      throw error;
    }
  }

  startOperator(): void {
    const profile = { NODE_OPTIONS: "--cpu-prof --cpu-prof-dir=out/bench" };
    this.stack.startOperator("operator-1", {
      ...ELECTION,
      ...(this.settings.isProfiled ? profile : {}),
    });
  }

  /** A process with so many workers; they start with `host.start`. */
  addHost(workers: number): Host {
    const { stack, settings } = this;
    const hostSettings: HostSettings = {
      databaseUrl: stack.urls.worker,
      kubeconfigPath: stack.api.users["worker"]!.kubeconfigPath,
      connectionsMax: CONNECTIONS_MAX,
      threads: 1,
      heartbeatIntervalMs: settings.heartbeatIntervalMs,
      drainLimitMs: DRAIN_LIMIT_MS,
    };
    const pods = Array.from({ length: workers }, () => `worker-${++this.#started}`);
    const host = new Host(pods, hostSettings, join(stack.directory, `host-${this.#started}.log`));
    this.hosts.push(host);
    return host;
  }

  async query(sql: string, values: readonly SqlValue[] = []): Promise<readonly Row[]> {
    return this.#database.query(sql, values, AbortSignal.timeout(READ_LIMIT_MS));
  }

  /** Milliseconds since 1970 on the clock that ticks are dated by. */
  async nowMs(): Promise<number> {
    return this.number("SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS UNSIGNED)");
  }

  /** The one value of the one row. */
  async number(sql: string, values: readonly SqlValue[] = []): Promise<number> {
    const [row] = await this.query(sql, values);
    return Number(Object.values(row ?? {})[0] ?? 0);
  }

  /** Polls until the condition holds; the error says what never came. */
  async until(limitMs: number, what: string, condition: () => Promise<boolean>): Promise<void> {
    const deadlineMs = performance.now() + limitMs;
    while (!(await condition())) {
      if (performance.now() > deadlineMs) throw new Error(`${what}: not within ${limitMs / 1_000} s`);
      await sleep(POLL_MS);
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.hosts.map(async (host) => host.kill()));
    await this.stack.processes
      .get("operator-1")
      ?.stop({ signal: "SIGTERM", graceMs: this.settings.isProfiled ? 30_000 : 5_000 });
    await this.kube.close();
    await this.#database.close();
    await this.stack.stop();
    await cp(join(this.stack.directory, "log", "operator-1.log"), join("out", "bench", "fleet-operator.log"));
    await rm(this.stack.directory, { recursive: true, force: true });
  }

  async #createCities(): Promise<void> {
    const { cities, periodMs } = this.settings;
    const names = Array.from({ length: cities }, (_, index) => `city-${index + 1}`).values();
    const createSome = async (): Promise<void> => {
      for (const name of names) {
        const city = {
          apiVersion: CITY_API_VERSION,
          kind: "City",
          metadata: { name, namespace: "default" },
          spec: { period: `${periodMs / 1_000}s` },
        };
        await this.kube.create<KubeObject>(CITIES, city, never);
      }
    };
    await Promise.all(Array.from({ length: CREATE_CONCURRENCY }, createSome));
  }
}
