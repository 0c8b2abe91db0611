import { fork, type ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { HostSettings, Order, Report, Said } from "./host-protocol.ts";

/** A process of many workers, seen from its parent. */
export class Host {
  readonly pods: readonly string[];
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #ready = Promise.withResolvers<void>();
  readonly #held = new Set<string>();
  #report: PromiseWithResolvers<Report> | undefined;

  constructor(pods: readonly string[], settings: HostSettings, logFile: string) {
    this.pods = pods;
    for (const pod of pods) this.#held.add(pod);
    const log = openSync(logFile, "a");
    this.#child = fork(new URL("host.ts", import.meta.url), {
      env: { ...process.env, HOST: JSON.stringify(settings) },
      stdio: ["ignore", log, log, "ipc"],
    });
    closeSync(log);
    this.#exited = new Promise((resolve) => {
      this.#child.once("exit", () => {
        const ended = new Error(`a host of ${pods.length} workers ended; see ${logFile}`);
        this.#ready.reject(ended);
        this.#report?.reject(ended);
        resolve();
      });
    });
    this.#ready.promise.catch(() => undefined);
    this.#child.on("message", (said: Said) => {
      if (said.kind === "ready") this.#ready.resolve();
      else if (said.kind === "drained") this.#held.delete(said.pod);
      else this.#report?.resolve(said);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Workers that have not drained. */
  get left(): number {
    return this.#held.size;
  }

  async ready(): Promise<void> {
    await this.#ready.promise;
  }

  start(version: string, pods: readonly string[] = this.pods): void {
    this.#send({ kind: "start", pods, version });
  }

  drain(pods: readonly string[]): void {
    this.#send({ kind: "drain", pods });
  }

  saturate(isOn: boolean): void {
    this.#send({ kind: "saturate", isOn });
  }

  /** The samples since the last one. */
  async report(): Promise<Report> {
    this.#report = Promise.withResolvers<Report>();
    this.#send({ kind: "report" });
    return this.#report.promise;
  }

  /** Without a word, as a machine is lost. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  #send(order: Order): void {
    this.#child.send(order);
  }
}
