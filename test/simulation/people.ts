import { CITIES, SEAL_FINALIZER, type City, type CitySpec } from "../../crds/city.ts";
import { randomStream, type Random } from "../../local/traffic/random.ts";
import { cityOf } from "../support/cities.ts";
import { NAMESPACE, type Cluster } from "./cluster.ts";
import type { World } from "./world.ts";

/** People and the company's services: they write Cities, place orders and deliver them. Nothing gets between them and the API server. */

const NEVER = new AbortController().signal;
const ORDER_INTERVAL_MS = 7_000;
const OPEN_ORDERS_MAX = 5;

export class People {
  readonly #world: World;
  readonly #random: Random;
  #orders = 0;

  constructor(world: World) {
    this.#world = world;
    this.#random = randomStream(world.seed, "people");
  }

  async begin(): Promise<void> {
    for (const { name } of this.#world.shape.cities) {
      for (const cluster of this.#world.clusters) await this.create(cluster, name);
      this.#feed(name);
    }
  }

  async create(cluster: Cluster, name: string): Promise<void> {
    const { elsewhere } = cluster.kube;
    const ref = { namespace: NAMESPACE, name };
    if ((await elsewhere.get<City>(CITIES, ref, NEVER)) !== undefined) return;
    const city = cityOf(name, { period: this.#periodOf(name) });
    this.#world.chronicle.allow(name);
    this.#note(name, "created");
    await elsewhere.create<City>(CITIES, { ...city, metadata: { ...ref, generation: 1 } }, NEVER);
  }

  /** Changes the City's spec; nothing happens when there is no such City. */
  async edit(cluster: Cluster, name: string, spec: Partial<CitySpec>): Promise<void> {
    const { elsewhere } = cluster.kube;
    const ref = { namespace: NAMESPACE, name };
    const city = await elsewhere.get<City>(CITIES, ref, NEVER);
    if (city === undefined || city.metadata.deletionTimestamp !== undefined) return;
    if (spec.suspend === false) this.#world.chronicle.allow(name);
    this.#note(name, `edited: ${JSON.stringify(spec)}`);
    const generation = (city.metadata.generation ?? 0) + 1;
    await elsewhere.patch<City>(CITIES, ref, { metadata: { generation }, spec }, NEVER);
  }

  async remove(cluster: Cluster, name: string): Promise<void> {
    this.#note(name, "deleted");
    await cluster.kube.elsewhere.remove(CITIES, { namespace: NAMESPACE, name }, NEVER);
  }

  /** At the end of the faults: every City exists again. */
  async restore(): Promise<void> {
    for (const { name } of this.#world.shape.cities) await this.create(this.#world.authority, name);
  }

  /** Cities that should be ticking, by the last word of the people. */
  async wanted(): Promise<readonly City[]> {
    const { elsewhere } = this.#world.authority.kube;
    const { items } = await elsewhere.list<City>(CITIES, { namespace: NAMESPACE }, NEVER);
    return items.filter(({ metadata, spec }) => !spec.suspend && metadata.deletionTimestamp === undefined);
  }

  /** Cities that the last word of the people has suspended, with what the operator says of them. */
  async suspended(): Promise<readonly City[]> {
    const { elsewhere } = this.#world.authority.kube;
    const { items } = await elsewhere.list<City>(CITIES, { namespace: NAMESPACE }, NEVER);
    return items.filter(
      ({ metadata, spec }) => spec.suspend && metadata.finalizers?.includes(SEAL_FINALIZER),
    );
  }

  #periodOf(name: string): string {
    const { periodMs } = this.#world.shape.cities.find((city) => city.name === name) ?? { periodMs: 1_000 };
    return `${periodMs / 1_000}s`;
  }

  /** Orders come, and those that a courier has are delivered. */
  #feed(city: string): void {
    const { time, database } = this.#world;
    time.after(ORDER_INTERVAL_MS * (0.5 + this.#random()), () => {
      const { orders, assignments } = database.tables.city(city);
      for (const order of orders.keys()) {
        if (assignments.has(order) && this.#random() < 0.6) database.tables.deliverOrder(city, order);
      }
      if (orders.size < OPEN_ORDERS_MAX) {
        const row = { placedAtMs: Math.floor(database.wallMs()) };
        database.tables.placeOrder(city, `order-${++this.#orders}`, row);
      }
      this.#feed(city);
    });
  }

  #note(city: string, what: string): void {
    this.#world.chronicle.note("people", `City ${city} ${what}`);
  }
}
