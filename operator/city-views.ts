import { isDeepStrictEqual } from "node:util";
import { periodMsOf, taskSpecOf, type City } from "../crds/city.ts";
import type { Lease } from "../crds/lease.ts";
import { dispatcherInForce, pinnedWorkerOf } from "../crds/mitigations.ts";
import type { FencingToken } from "../crds/token.ts";
import { cityViewOf, leaseViewOf } from "./cities/city-view.ts";
import type { CityView, LeaseView } from "./cities/view.ts";
import type { CityProgress } from "./progress/progress.ts";

/** What a view is made of. Objects that never change: another one means that something is different. */
export type Gathered = {
  readonly city: City;
  readonly lease: Lease | undefined;
  readonly progress: CityProgress | undefined;
  /** 0: nobody's tokens can be handed out now. */
  readonly epoch: bigint;
};

/** `nowMs`: monotonic. `wallMs`: since 1970, for what ends at a time of people. */
type Now = { readonly nowMs: number; readonly wallMs: number };

/** What this operator itself knows of a City. */
type Memory = {
  /** When it first saw the Lease's present token. */
  assigned: { readonly token: FencingToken | undefined; readonly atMs: number };
  movedMs: number | undefined;
  watchedSinceMs: number;
  /** The view made last, and of what; undefined once it is out of date. */
  last: (Gathered & { readonly view: CityView }) | undefined;
};

/**
 * Makes the views that are decided on, and remembers what cannot be read anywhere. A view is made anew only when something
 * in it changed: of ten thousand Cities a few hundred tick in a second, and the others cost a comparison.
 */
export class CityViews {
  readonly #clusterUid: string;
  readonly #memories = new Map<string, Memory>();
  readonly #leaseViews = new WeakMap<Lease, LeaseView>();

  constructor(clusterUid: string) {
    this.#clusterUid = clusterUid;
  }

  viewOf(gathered: Gathered, now: Now): CityView {
    const { city, lease, progress, epoch } = gathered;
    const { name } = city.metadata;
    const memory = this.#memoryOf(name, now.nowMs);
    const { last } = memory;
    const isSame =
      last !== undefined &&
      last.city === city &&
      last.lease === lease &&
      last.progress === progress &&
      last.epoch === epoch &&
      // What a person asked for until a time begins and ends without a change of the City.
      last.view.pinnedWorker === pinnedWorkerOf(city.spec, now.wallMs) &&
      last.view.task.dispatcher === dispatcherInForce(city.spec, now.wallMs);
    if (isSame) return last.view;
    const view = this.#make(gathered, memory, now);
    memory.last = { ...gathered, view };
    return view;
  }

  leaseView(lease: Lease): LeaseView {
    const known = this.#leaseViews.get(lease);
    if (known !== undefined) return known;
    const view = leaseViewOf(lease);
    this.#leaseViews.set(lease, view);
    return view;
  }

  moved(city: string, atMs: number): void {
    const memory = this.#memoryOf(city, atMs);
    memory.movedMs = atMs;
    memory.last = undefined;
  }

  /** Nobody's silence before this counts. */
  watchAfresh(nowMs: number): void {
    for (const memory of this.#memories.values()) {
      memory.watchedSinceMs = nowMs;
      memory.last = undefined;
    }
  }

  forget(city: string): void {
    this.#memories.delete(city);
  }

  #memoryOf(city: string, nowMs: number): Memory {
    const known = this.#memories.get(city);
    if (known !== undefined) return known;
    const fresh: Memory = {
      assigned: { token: undefined, atMs: nowMs },
      movedMs: undefined,
      watchedSinceMs: nowMs,
      last: undefined,
    };
    this.#memories.set(city, fresh);
    return fresh;
  }

  #make({ city, lease, progress, epoch }: Gathered, memory: Memory, { nowMs, wallMs }: Now): CityView {
    const periodMs = periodMsOf(city.spec);
    const task = taskSpecOf(city, { clusterUid: this.#clusterUid, epoch }, wallMs);
    const leaseView = lease === undefined ? undefined : this.leaseView(lease);
    if (memory.assigned.token !== leaseView?.token)
      memory.assigned = { token: leaseView?.token, atMs: nowMs };
    return cityViewOf(
      {
        city,
        task,
        periodMs,
        // Whoever compares the two tasks finds at once that they are one.
        lease:
          isDeepStrictEqual(leaseView?.task, task) && leaseView !== undefined
            ? { ...leaseView, task }
            : leaseView,
        fence: progress === undefined ? undefined : { ...progress.fence, advancedMs: progress.advancedMs },
        assignedMs: memory.assigned.atMs,
        movedMs: memory.movedMs,
        watchedSinceMs: memory.watchedSinceMs,
      },
      wallMs,
    );
  }
}
