import { setTimeout as sleep } from "node:timers/promises";
import { CITIES, type City } from "../../crds/city.ts";
import type { Product } from "../support/product.ts";

const RETRY_MS = 200;
/** How long to watch for what was on its way when silence was promised. */
const LATE_ARRIVAL_MS = 1_000;
const nothing = (): void => undefined;
/** A server that was killed is back within seconds. */
const PERSON_PATIENCE_MS = 90_000;
/** Between faults there is time enough for what a City asks. */
const PROMISE_PATIENCE_MS = 25_000;

type Steps = {
  onPromise(): void;
  ask(signal: AbortSignal): Promise<unknown>;
  isPromised(signal: AbortSignal): Promise<boolean>;
  undo(signal: AbortSignal): Promise<unknown>;
};

/**
 * People who suspend, resume, delete and create Cities, and hold the product to its word: from the moment it says that a
 * City is suspended, or lets a deleted one go, until it is wanted again, nothing is committed.
 */
export class People {
  readonly violations: string[] = [];
  /** How often silence was promised, and then looked for. */
  promises = 0;
  readonly #product: Product;
  readonly #periodText: string;
  /** What somebody does to each City. The plan leaves time in between, but a slow machine may need more. */
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(product: Product, periodText: string) {
    this.#product = product;
    this.#periodText = periodText;
  }

  /** `onPromise` is called when the City says that it is suspended. Begins when nobody does anything else to the City. */
  async suspend(name: string, durationMs: number, ending: AbortSignal, onPromise = nothing): Promise<void> {
    await this.#alone(name, durationMs, ending, {
      onPromise,
      ask: (signal) => this.#setSuspended(name, true, signal),
      isPromised: async (signal) => isSuspended(await this.#read(name, signal)),
      undo: (signal) => this.#setSuspended(name, false, signal),
    });
  }

  /** `onPromise` is called when the City is gone. Begins when nobody does anything else to the City. */
  async remove(name: string, durationMs: number, ending: AbortSignal, onPromise = nothing): Promise<void> {
    const { kube } = this.#product;
    await this.#alone(name, durationMs, ending, {
      onPromise,
      ask: (signal) => kube.remove(CITIES, { name, namespace: "default" }, signal),
      isPromised: async (signal) => (await this.#read(name, signal)) === undefined,
      undo: async (signal) => {
        const city = await this.#read(name, signal);
        if (city === undefined) await this.#product.apply(name, { period: this.#periodText });
        else if (city.metadata.deletionTimestamp !== undefined) throw new Error(`City ${name} still goes`);
      },
    });
  }

  /** One after the other: whoever resumed the City under another one's eyes would make the product look like a liar. */
  async #alone(name: string, durationMs: number, ending: AbortSignal, steps: Steps): Promise<void> {
    const before = this.#underWay.get(name) ?? Promise.resolve();
    const own = before.catch(nothing).then(() => this.#whileSilent(name, durationMs, ending, steps));
    this.#underWay.set(name, own);
    await own;
  }

  async #whileSilent(name: string, durationMs: number, ending: AbortSignal, steps: Steps): Promise<void> {
    const over = AbortSignal.any([ending, AbortSignal.timeout(PROMISE_PATIENCE_MS)]);
    try {
      await persist((signal) => steps.ask(signal), over);
      await persist(async (signal) => {
        if (!(await steps.isPromised(signal))) throw new Error("not yet");
      }, over);
      const before = await persist(() => this.#fence(name), over);
      steps.onPromise();
      await sleep(LATE_ARRIVAL_MS);
      await sleep(Math.max(0, durationMs - LATE_ARRIVAL_MS), undefined, { signal: ending }).catch(nothing);
      const after = await persist(() => this.#fence(name), AbortSignal.timeout(PERSON_PATIENCE_MS));
      this.promises += 1;
      if (!before.isSealed) this.violations.push(`${name}: its fence was open when silence was promised`);
      if (after.tick !== before.tick)
        this.violations.push(
          `${name}: ticks ${before.tick} to ${after.tick} came after silence was promised`,
        );
    } catch (error) {
      // The time was too short for the promise: nothing was promised.
      if (!over.aborted) throw error;
    } finally {
      await persist((signal) => steps.undo(signal), AbortSignal.timeout(PERSON_PATIENCE_MS));
    }
  }

  async #setSuspended(name: string, suspend: boolean, signal: AbortSignal): Promise<void> {
    await this.#product.kube.patch(CITIES, { name, namespace: "default" }, { spec: { suspend } }, signal);
  }

  async #read(name: string, signal: AbortSignal): Promise<City | undefined> {
    return this.#product.kube.get<City>(CITIES, { name, namespace: "default" }, signal);
  }

  async #fence(name: string): Promise<{ readonly tick: number; readonly isSealed: boolean }> {
    const [row] = await this.#product.query("SELECT tick, holder FROM city_fence WHERE city = ?", [name]);
    return { tick: Number(row?.["tick"] ?? 0), isSealed: (row?.["holder"] ?? null) === null };
  }
}

function isSuspended(city: City | undefined): boolean {
  const condition = city?.status?.conditions?.find(({ type }) => type === "Suspended");
  return condition?.status === "True" && condition.observedGeneration === city?.metadata.generation;
}

/** Tries until it succeeds; rejects with the last failure when the signal aborts first. */
async function persist<Result>(
  attempt: (signal: AbortSignal) => Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await attempt(signal);
    } catch (error) {
      if (signal.aborted) throw error;
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) throw error;
    }
  }
}
