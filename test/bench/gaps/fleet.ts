import { setTimeout as sleep } from "node:timers/promises";
import type { Lease } from "../../../crds/lease.ts";
import type { Child } from "../../../local/process/child.ts";
import { LEASES, PODS, type KubeObject } from "../../../runtime/kube/resources.ts";
import { createLinks, type Links } from "../../support/links.ts";
import { startProduct, type Product } from "../../support/product.ts";
import { assignmentsAtRest } from "../../support/rest.ts";
import { happensWithin } from "../../support/until.ts";

export type FleetSize = { readonly cities: number; readonly workers: number };

type WorkerTraits = {
  /** Behind a network that can be broken. */
  readonly linked?: boolean;
  /** With a Pod object, as a kubelet would keep it. */
  readonly inPod?: boolean;
};

export type BenchWorker = {
  readonly name: string;
  readonly child: Child;
  readonly links: Links | undefined;
  readonly inPod: boolean;
};

const REGISTER_LIMIT_MS = 30_000;
const DRAIN_LIMIT_MS = 60_000;
const never = new AbortController().signal;

/** The product with workers that come and go. Names are never used twice. */
export class BenchFleet {
  readonly cities: readonly string[];
  readonly product: Product;
  readonly #size: FleetSize;
  readonly #workers = new Map<string, BenchWorker>();
  readonly #signal: AbortSignal;
  #started = 1;
  #version = 1;

  private constructor(product: Product, cities: readonly string[], size: FleetSize, signal: AbortSignal) {
    this.product = product;
    this.cities = cities;
    this.#size = size;
    this.#signal = signal;
  }

  static async start(size: FleetSize, signal: AbortSignal): Promise<BenchFleet> {
    const cities = Array.from({ length: size.cities }, (_, index) => `city-${index + 1}`);
    // The product starts with one worker, so that its first ticks show; the others follow.
    const product = await startProduct({
      cities,
      settings: { logLevel: "info" },
      signal,
      launch: async (stack) => {
        for (const name of ["operator-1", "operator-2"]) stack.startOperator(name);
        stack.startWorker("worker-1", { VERSION: "1" });
      },
    });
    const fleet = new BenchFleet(product, cities, size, signal);
    const first = product.stack.processes.get("worker-1")!;
    fleet.#workers.set("worker-1", { name: "worker-1", child: first, links: undefined, inPod: false });
    return fleet;
  }

  /** The processes that run, oldest first. */
  get workers(): readonly BenchWorker[] {
    return [...this.#workers.values()].filter(({ child }) => !child.hasExited());
  }

  async startWorker(traits: WorkerTraits = {}): Promise<BenchWorker> {
    this.#started += 1;
    const name = `worker-${this.#started}`;
    const { stack } = this.product;
    const links = traits.linked === true ? await createLinks(stack, "worker") : undefined;
    const pod = traits.inPod === true ? { POD_UID: await this.#createPod(name) } : {};
    // After an interruption nothing may start that nobody would end.
    this.#signal.throwIfAborted();
    const child = stack.startWorker(name, { ...links?.env, ...pod, VERSION: String(this.#version) });
    const worker = { name, child, links, inPod: traits.inPod === true };
    this.#workers.set(name, worker);
    await happensWithin(REGISTER_LIMIT_MS, `the first heartbeat of ${name}`, async () => {
      const { items } = await this.product.kube.list<Lease>(
        LEASES,
        { namespace: "default", labelSelector: `dispatch.city/pod=${name}` },
        never,
      );
      return items.length > 0;
    });
    return worker;
  }

  /** Workers that start from now on are of a newer release. */
  release(): void {
    this.#version += 1;
  }

  /** Asks a worker to go, and waits until it has handed over and ended. */
  async retire({ child, name, links, inPod }: BenchWorker): Promise<void> {
    child.signal("SIGTERM");
    const limit = sleep(DRAIN_LIMIT_MS, "overdue" as const, { ref: false });
    if ((await Promise.race([child.exited, limit])) === "overdue")
      throw new Error(`${name} did not drain within ${DRAIN_LIMIT_MS} ms`);
    await links?.close();
    if (inPod) await this.product.kube.remove(PODS, { name, namespace: "default" }, never);
    this.#workers.delete(name);
  }

  /** A worker with these traits in the place of the oldest one, with its fair part of the cities. */
  async victim(traits: WorkerTraits = {}): Promise<BenchWorker> {
    const worker = await this.startWorker(traits);
    const [oldest] = this.workers;
    if (oldest !== undefined && oldest !== worker) await this.retire(oldest);
    await this.settle();
    return worker;
  }

  async citiesOf({ name }: BenchWorker): Promise<readonly string[]> {
    return (await this.product.holdings()).get(name) ?? [];
  }

  /** Brings the fleet back to its size and waits until nothing moves and every city ticks. */
  async settle(): Promise<void> {
    while (this.workers.length < this.#size.workers) await this.startWorker();
    while (this.workers.length > this.#size.workers) await this.retire(this.workers[0]!);
    await assignmentsAtRest(this.product, this.#signal);
    await this.awaitAllTicking(30_000);
  }

  /** Until each city has committed after this call. */
  async awaitAllTicking(limitMs: number, cities = this.cities): Promise<void> {
    await this.product.awaitTicks(cities, await this.product.databaseTimeMs(), limitMs);
  }

  async stop(): Promise<void> {
    for (const { links } of this.#workers.values()) await links?.close();
    await this.product.stop();
  }

  async #createPod(name: string): Promise<string> {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace: "default", labels: { "dispatch.city/component": "worker" } },
      spec: { containers: [{ name: "worker", image: "worker" }] },
    };
    const created = await this.product.kube.create<KubeObject & { readonly spec: unknown }>(PODS, pod, never);
    return created.metadata.uid ?? "";
  }
}
