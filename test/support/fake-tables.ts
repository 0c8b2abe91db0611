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
  readonly claimedAtMs: number;
  readonly committedAtMs: number | null;
  readonly changedAtMs: number;
  readonly degraded: number;
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
  readonly previousCommitId: string | null;
  readonly slotMs: number;
  readonly periodMs: number;
  readonly snapshotTick: bigint;
  readonly decisions: number;
  readonly dropped: string | null;
  readonly isDegraded: boolean;
  readonly committedAtMs: number;
};

/** An order that is placed and not delivered yet. */
export type OrderRow = { readonly placedAtMs: number };
/** One decision that was applied; it is active until its order is delivered. */
export type AssignmentRow = { readonly order: string; readonly courier: string; readonly tick: bigint };

/** What the tables hold of one city. */
export type CityRows = {
  readonly fence: FenceRow | undefined;
  readonly claims: readonly ClaimRow[];
  /** By number; older ones may have been pruned. */
  readonly ticks: readonly TickRow[];
  readonly orders: ReadonlyMap<string, OrderRow>;
  /** By order: one has a courier once. */
  readonly assignments: ReadonlyMap<string, AssignmentRow>;
};

type City = {
  fence: FenceRow | undefined;
  readonly claims: ClaimRow[];
  readonly ticks: TickRow[];
  readonly orders: Map<string, OrderRow>;
  readonly assignments: Map<string, AssignmentRow>;
};

const JOURNAL_MAX = 2_000;

export class FakeTables {
  #authority: AuthorityRow | undefined;
  readonly #cities = new Map<string, City>();
  readonly #journalMs: () => number;
  #journal: { readonly atMs: number; readonly undo: () => void }[] = [];

  /** `journalMs` dates the transactions, on a clock that never goes back. */
  constructor(journalMs: () => number = () => 0) {
    this.#journalMs = journalMs;
  }

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

  setAuthority(row: AuthorityRow): void {
    const before = this.#authority;
    this.#authority = row;
    this.#note(() => (this.#authority = before));
  }

  setFence(name: string, row: FenceRow): void {
    const city = this.#city(name);
    const before = city.fence;
    city.fence = row;
    this.#note(() => (city.fence = before));
  }

  addClaim(name: string, row: ClaimRow): void {
    const { claims } = this.#city(name);
    claims.push(row);
    this.#note(() => claims.pop());
  }

  addTick(name: string, row: TickRow): void {
    const { ticks } = this.#city(name);
    ticks.push(row);
    this.#note(() => ticks.pop());
  }

  /** Forgets the oldest `count` ticks: what a fail-over brings back of them matters to nobody. */
  pruneTicks(name: string, count: number): void {
    this.#city(name).ticks.splice(0, count);
  }

  pruneClaims(name: string, count: number): void {
    this.#city(name).claims.splice(0, count);
  }

  placeOrder(name: string, order: string, row: OrderRow): void {
    const { orders } = this.#city(name);
    orders.set(order, row);
    this.#note(() => orders.delete(order));
  }

  deliverOrder(name: string, order: string): void {
    const { orders } = this.#city(name);
    const before = orders.get(order);
    orders.delete(order);
    this.#note(() => {
      if (before !== undefined) orders.set(order, before);
    });
  }

  assign(name: string, row: AssignmentRow): void {
    const { assignments } = this.#city(name);
    assignments.set(row.order, row);
    this.#note(() => assignments.delete(row.order));
  }

  /** Undoes every transaction later than `sinceMs`, on the clock of the journal. */
  loseSince(sinceMs: number): void {
    while (this.#journal.length > 0 && this.#journal.at(-1)!.atMs > sinceMs) this.#journal.pop()?.undo();
  }

  #city(name: string): City {
    let city = this.#cities.get(name);
    if (city === undefined) {
      city = { fence: undefined, claims: [], ticks: [], orders: new Map(), assignments: new Map() };
      this.#cities.set(name, city);
    }
    return city;
  }

  #note(undo: () => void): void {
    this.#journal.push({ atMs: this.#journalMs(), undo });
    if (this.#journal.length > 2 * JOURNAL_MAX) this.#journal = this.#journal.slice(-JOURNAL_MAX);
  }
}
