/**
 * The protocol's tables in memory, as rows that are never changed but replaced. Every replacement is journalled with how
 * to take it back, so that a fail-over that lost the last transactions is a suffix of the journal undone.
 */

export type AuthorityRow = { readonly epoch: bigint; readonly clusterUid: string };

export type FenceRow = {
  readonly epoch: bigint;
  readonly token: bigint;
  readonly holder: string | null;
  readonly tick: bigint;
  readonly slotMs: number | null;
  readonly periodMs: number | null;
  readonly commitId: string | null;
  readonly claims: bigint;
  readonly committedAtMs: number | null;
  readonly changedAtMs: number;
};

export type ClaimRow = {
  readonly claim: bigint;
  readonly epoch: bigint;
  readonly token: bigint;
  readonly holder: string | null;
  readonly tick: bigint;
  readonly claimedAtMs: number;
};

export type TickRow = {
  readonly tick: bigint;
  readonly epoch: bigint;
  readonly token: bigint;
  readonly holder: string;
  readonly commitId: string;
  readonly slotMs: number;
  readonly periodMs: number;
  readonly snapshotTick: bigint;
  readonly decisions: number;
  readonly dropped: string | null;
  readonly isDegraded: boolean;
  readonly committedAtMs: number;
};

export type OrderRow = { readonly placedAtMs: number; readonly status: "placed" | "delivered" };
/** One decision that was applied; it is active until its order is delivered. */
export type AssignmentRow = { readonly order: string; readonly courier: string; readonly tick: bigint };

/** What the tables hold of one city. */
export type CityRows = {
  readonly fence: FenceRow | undefined;
  readonly claims: readonly ClaimRow[];
  /** By number; older ones may have been pruned. */
  readonly ticks: readonly TickRow[];
  readonly orders: ReadonlyMap<string, OrderRow>;
  readonly assignments: readonly AssignmentRow[];
};

type City = {
  fence: FenceRow | undefined;
  readonly claims: ClaimRow[];
  readonly ticks: TickRow[];
  readonly orders: Map<string, OrderRow>;
  readonly assignments: AssignmentRow[];
};

const JOURNAL_MAX = 2_000;

export class FakeTables {
  #authority: AuthorityRow | undefined;
  readonly #cities = new Map<string, City>();
  #journal: { readonly atMs: number; readonly undo: () => void }[] = [];

  get authority(): AuthorityRow | undefined {
    return this.#authority;
  }

  /** In the order of their names. */
  get cities(): readonly string[] {
    return [...this.#cities.keys()].toSorted();
  }

  city(name: string): CityRows {
    return this.#city(name);
  }

  setAuthority(row: AuthorityRow, atMs: number): void {
    const before = this.#authority;
    this.#authority = row;
    this.#note(atMs, () => (this.#authority = before));
  }

  setFence(name: string, row: FenceRow, atMs: number): void {
    const city = this.#city(name);
    const before = city.fence;
    city.fence = row;
    this.#note(atMs, () => (city.fence = before));
  }

  addClaim(name: string, row: ClaimRow): void {
    const { claims } = this.#city(name);
    claims.push(row);
    this.#note(row.claimedAtMs, () => claims.pop());
  }

  addTick(name: string, row: TickRow): void {
    const { ticks } = this.#city(name);
    ticks.push(row);
    this.#note(row.committedAtMs, () => ticks.pop());
  }

  /** Forgets the oldest `count` ticks: what a fail-over brings back of them matters to nobody. */
  pruneTicks(name: string, count: number): void {
    this.#city(name).ticks.splice(0, count);
  }

  pruneClaims(name: string, count: number): void {
    this.#city(name).claims.splice(0, count);
  }

  setOrder(name: string, order: string, row: OrderRow, atMs: number): void {
    const { orders } = this.#city(name);
    const before = orders.get(order);
    orders.set(order, row);
    this.#note(atMs, () => {
      if (before === undefined) orders.delete(order);
      else orders.set(order, before);
    });
  }

  assign(name: string, row: AssignmentRow, atMs: number): void {
    const { assignments } = this.#city(name);
    assignments.push(row);
    this.#note(atMs, () => assignments.pop());
  }

  /** Undoes every transaction later than `sinceMs`, on the clock of the times given. */
  loseSince(sinceMs: number): void {
    while (this.#journal.length > 0 && this.#journal.at(-1)!.atMs > sinceMs) this.#journal.pop()?.undo();
  }

  #city(name: string): City {
    let city = this.#cities.get(name);
    if (city === undefined) {
      city = { fence: undefined, claims: [], ticks: [], orders: new Map(), assignments: [] };
      this.#cities.set(name, city);
    }
    return city;
  }

  #note(atMs: number, undo: () => void): void {
    this.#journal.push({ atMs, undo });
    if (this.#journal.length > 2 * JOURNAL_MAX) this.#journal = this.#journal.slice(-JOURNAL_MAX);
  }
}
