import { CITIES, SEAL_FINALIZER, type City } from "../../../crds/city.ts";
import type { Lease } from "../../../crds/lease.ts";
import { LEASES } from "../../../runtime/kube/resources.ts";
import type { Surroundings } from "./processes.ts";
import type { Write } from "./life.ts";

/**
 * What every single write of an operator must be, looked at just before it goes out: the state of the cluster and of the
 * database at that moment is read for it.
 */
export class WriteRules {
  readonly violations: string[] = [];
  readonly #world: Surroundings;

  constructor(world: Surroundings) {
    this.#world = world;
  }

  async check(write: Write): Promise<void> {
    const complaint = await this.#complaint(write);
    if (complaint !== undefined)
      this.violations.push(`${write.kind} ${write.of}/${write.name}: ${complaint}`);
  }

  async #complaint(write: Write): Promise<string | undefined> {
    if (write.of === "leases") return this.#leaseComplaint(write);
    if (write.of === "cities" && !write.isStatus) return this.#finalizerComplaint(write);
    if (write.of === "cities") return this.#statusComplaint(write);
    return undefined;
  }

  async #leaseComplaint({ kind, name, body }: Write): Promise<string | undefined> {
    if (kind === "patch") return "a Lease is written whole, under a precondition";
    if (kind === "remove") {
      const { uid, resourceVersion } =
        (body as { preconditions?: { uid?: string; resourceVersion?: string } } | undefined)?.preconditions ??
        {};
      return uid === undefined || resourceVersion === undefined ? "removed without preconditions" : undefined;
    }
    const lease = body as Lease;
    const { uid, resourceVersion } = lease.metadata;
    if (kind === "replace" && (uid === undefined || resourceVersion === undefined))
      return "replaced without the uid and the resourceVersion that were decided on";
    if (kind === "create" && resourceVersion !== undefined) return "created with a resourceVersion";
    if ((lease.spec?.holderIdentity ?? "") === "") return undefined;
    const city = await this.#city(name.replace(/^city-/, ""));
    // Whoever removed the City meanwhile is no matter of this write: the owner reference takes the Lease away.
    return city === undefined || city.metadata.finalizers?.includes(SEAL_FINALIZER) === true
      ? undefined
      : "assigned before the City had its finalizer";
  }

  async #finalizerComplaint({ name, body }: Write): Promise<string | undefined> {
    const { finalizers, resourceVersion } = (
      body as { metadata: { finalizers: readonly string[]; resourceVersion?: string } }
    ).metadata;
    if (resourceVersion === undefined) return "finalizers written without a precondition";
    if (finalizers.includes(SEAL_FINALIZER)) return undefined;
    if ((await this.#holder(name)) !== null) return "let go before its fence was sealed";
    const ref = { namespace: this.#world.namespace, name: `city-${name}` };
    const lease = await this.#world.client.get<Lease>(LEASES, ref, AbortSignal.timeout(5_000));
    return lease === undefined ? undefined : "let go before its Lease was gone";
  }

  async #statusComplaint({ name, body }: Write): Promise<string | undefined> {
    const { conditions = [] } = (body as Pick<City, "status">).status ?? {};
    const isSuspended = conditions.some(({ type, status }) => type === "Suspended" && status === "True");
    // A resumed City may have been claimed since this was decided; what may not be is that it never was sealed.
    if (!isSuspended || (await this.#wasSealed(name))) return undefined;
    return "called Suspended before its fence was sealed";
  }

  async #city(name: string): Promise<City | undefined> {
    const ref = { namespace: this.#world.namespace, name };
    return this.#world.client.get<City>(CITIES, ref, AbortSignal.timeout(5_000));
  }

  /** Of the fence; null: sealed, or never claimed. */
  async #holder(city: string): Promise<unknown> {
    const [row] = await this.#world.database.sql(
      `SELECT holder FROM city_fence WHERE city = ${JSON.stringify(city)}`,
    );
    return row?.["holder"] ?? null;
  }

  async #wasSealed(city: string): Promise<boolean> {
    const rows = await this.#world.database.sql(
      `SELECT 1 FROM claim WHERE city = ${JSON.stringify(city)} AND holder IS NULL LIMIT 1`,
    );
    return rows.length > 0;
  }
}
