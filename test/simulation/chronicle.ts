import type { City } from "../../crds/city.ts";
import type { Lease } from "../../crds/lease.ts";
import type { News } from "../support/fake-etcd.ts";
import type { Statement } from "./database-server.ts";
import type { VirtualTime } from "./time.ts";

/**
 * What happened in a run, seen from outside of every process: the statements that MySQL executed, the answers that arrived,
 * the writes that etcd took. What must never happen is noticed here at the moment when it does.
 */

export type Answer = {
  readonly city: string;
  readonly tick: bigint;
  readonly commitId: string;
  /** When MySQL executed what the answer is about. */
  readonly executedMs: number;
};
export type Move = { readonly atMs: number; readonly city: string; readonly worker: string };
export type Tick = { readonly atMs: number; readonly slotMs: number; readonly periodMs: number };

export class Chronicle {
  readonly violations: string[] = [];
  readonly moves: Move[] = [];
  /** Commits that were answered `committed`. */
  readonly acknowledged: Answer[] = [];
  /** Per city, in the order in which MySQL executed them. */
  readonly ticks = new Map<string, Tick[]>();
  readonly outcomes = new Map<string, number>();
  readonly #time: VirtualTime;
  readonly #tell: ((line: string) => void) | undefined;
  readonly #executedMs = new Map<string, number>();
  readonly #fenced = new Map<string, number>();
  readonly #sealedMs = new Map<string, number>();
  /** Cities of which was said that nothing more is committed for them. */
  readonly #silenced = new Map<string, string>();
  readonly #losses: { readonly fromMs: number; readonly toMs: number }[] = [];
  readonly #holders = new Map<string, string | undefined>();
  #restoredMs = -Infinity;
  #hash = 0x811c9dc5;

  /** `tell` gets every line of the story; without it none is written. */
  constructor(input: { readonly time: VirtualTime; readonly tell?: ((line: string) => void) | undefined }) {
    this.#time = input.time;
    this.#tell = input.tell;
  }

  /** Of everything that happened so far, in its order. */
  get fingerprint(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  get isTold(): boolean {
    return this.#tell !== undefined;
  }

  tell(who: string, what: string): void {
    this.#tell?.(`${(this.#time.nowMs / 1_000).toFixed(3).padStart(9)} ${who.padEnd(12)} ${what}`);
  }

  /** Something that counts: it is part of the fingerprint. */
  note(who: string, what: string): void {
    const text = `${this.#time.nowMs}|${who}|${what}`;
    for (let index = 0; index < text.length; index++) {
      this.#hash = Math.imul(this.#hash ^ text.charCodeAt(index), 0x01000193);
    }
    this.tell(who, what);
  }

  violate(what: string): void {
    this.violations.push(`${(this.#time.nowMs / 1_000).toFixed(3)} s: ${what}`);
    this.note("checker", `VIOLATION: ${what}`);
  }

  executed({ process, sql, values, outcome }: Statement): void {
    if (outcome === undefined) return;
    const name = sql.slice(5, sql.indexOf("("));
    const key = `${name} ${outcome}`;
    this.outcomes.set(key, (this.outcomes.get(key) ?? 0) + 1);
    const detail = name === "commit_tick" ? `tick ${String(values[3])} ` : "";
    this.note(
      "mysql",
      `${name} ${String(values[0])} token ${String(values[name === "claim_city" ? 3 : 2])} ${detail}by ${process}: ${outcome}`,
    );
    if (name === "commit_tick") this.#commitExecuted(values, outcome);
    else if (name === "seal_city" && outcome === "sealed") {
      this.#sealedMs.set(String(values[0]), this.#time.nowMs);
    }
  }

  answered({ process, sql, values, outcome }: Statement): void {
    if (!sql.startsWith("CALL commit_tick")) return;
    const commitId = String(values[4]);
    const executedMs = this.#executedMs.get(commitId) ?? 0;
    this.note(process, `was answered ${outcome} for ${String(values[0])} tick ${String(values[3])}`);
    if (outcome === "fenced") this.#fenced.set(commitId, executedMs);
    if (outcome !== "committed" && outcome !== "repeated") return;
    this.acknowledged.push({
      city: String(values[0]),
      tick: BigInt(String(values[3])),
      commitId,
      executedMs,
    });
  }

  /** A write to the etcd of the cluster that has the authority. */
  wrote({ path, before, after }: News, cluster: string): void {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (path.includes("/leases/city-") && isCityLease(after ?? before))
      this.#leaseWritten(name.slice(5), after as Lease | undefined, cluster);
    if (path.includes("/cities/"))
      this.#cityWritten(name, after as City | undefined, before as City | undefined);
  }

  /** People did something after which commits for the city are wanted again. */
  allow(city: string): void {
    this.#silenced.delete(city);
  }

  allowAll(): void {
    this.#silenced.clear();
  }

  /**
   * etcd went back. A City that the backup knows as suspended says so from the first moment on, while whoever was given it since
   * may still hold it: its word counts once it was sealed anew.
   */
  restored(): void {
    this.allowAll();
    this.#restoredMs = this.#time.nowMs;
  }

  /** MySQL lost everything after `sinceMs`: what was said on the strength of it no longer counts. */
  lost(sinceMs: number): void {
    this.#losses.push({ fromMs: sinceMs, toMs: this.#time.nowMs });
    for (const [city, sealedMs] of this.#sealedMs) if (sealedMs > sinceMs) this.#silenced.delete(city);
    for (const ticks of this.ticks.values()) {
      while ((ticks.at(-1)?.atMs ?? -Infinity) > sinceMs) ticks.pop();
    }
  }

  /** Whether what MySQL did at that moment was lost in a fail-over. */
  wasLost(executedMs: number): boolean {
    return this.#losses.some(({ fromMs, toMs }) => executedMs > fromMs && executedMs <= toMs);
  }

  #commitExecuted(values: Statement["values"], outcome: string): void {
    const [city, commitId] = [String(values[0]), String(values[4])];
    if (outcome === "committed") {
      const said = this.#silenced.get(city);
      if (said !== undefined) this.violate(`a tick of ${city} was committed although ${said}`);
      const fencedMs = this.#fenced.get(commitId);
      if (fencedMs !== undefined && !this.wasLost(fencedMs)) {
        this.violate(`a commit of ${city} was answered fenced, and then it was committed all the same`);
      }
      const ticks = this.ticks.get(city) ?? [];
      ticks.push({ atMs: this.#time.nowMs, slotMs: Number(values[6]), periodMs: Number(values[7]) });
      this.ticks.set(city, ticks);
    }
    this.#executedMs.set(commitId, this.#time.nowMs);
  }

  #leaseWritten(city: string, lease: Lease | undefined, cluster: string): void {
    const worker = lease?.spec?.holderIdentity;
    const key = `${cluster}/${city}`;
    const before = this.#holders.get(key);
    this.#holders.set(key, worker);
    const token = lease?.metadata.resourceVersion;
    this.note(
      cluster,
      `lease of ${city}: ${worker ?? (lease === undefined ? "deleted" : "nobody")}, token ${token}`,
    );
    if (worker !== undefined && worker !== before) {
      this.moves.push({ atMs: this.#time.nowMs, city, worker });
    }
  }

  #cityWritten(city: string, after: City | undefined, before: City | undefined): void {
    if (after === undefined) {
      if (before?.metadata.finalizers !== undefined) this.#silenced.set(city, "its City was deleted");
      this.note("people", `City ${city} is gone`);
      return;
    }
    const { generation } = after.metadata;
    const suspended = after.status?.conditions?.find(({ type }) => type === "Suspended");
    const isSaid = suspended?.status === "True" && suspended.observedGeneration === generation;
    const isSealedAnew = (this.#sealedMs.get(city) ?? -Infinity) >= this.#restoredMs;
    if (after.spec.suspend && isSaid && isSealedAnew && !this.#silenced.has(city)) {
      this.#silenced.set(city, "its condition Suspended is True");
      this.note("checker", `${city} is Suspended`);
    }
  }
}

function isCityLease(object: News["after"]): boolean {
  return object?.metadata.labels?.["dispatch.city/component"] === "city";
}
