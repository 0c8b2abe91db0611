import type { FleetLook } from "../cities/view.ts";
import type { Assigned } from "../controller.ts";
import type { Move } from "./page/picture.ts";

/**
 * Moves as a replica sees them: every replica watches the City Leases, so each sees who has a city now and who had it at the
 * look before. Why it moved is decided by the leader and stands in no Lease, so only the replica that wrote a move knows its
 * cause (it is in the City's events as well).
 */

const MOVES_MAX = 200;
/** An assignment is seen within a second of its write; more than these are never waiting for that. */
const CAUSES_MAX = 20_000;

export class Moves {
  #holders: ReadonlyMap<string, { readonly worker: string | null; readonly token: string }> | undefined;
  readonly #causes = new Map<string, string>();
  #moves: ReadonlyMap<string, Move> = new Map();

  /** The newest MOVES_MAX. The same object as long as none is added. */
  get latest(): ReadonlyMap<string, Move> {
    return this.#moves;
  }

  /** This replica wrote an assignment. */
  wrote({ city, token, because }: Assigned): void {
    this.#causes.set(keyOf(city, token), because);
    const [oldest] = this.#causes.keys();
    if (this.#causes.size > CAUSES_MAX && oldest !== undefined) this.#causes.delete(oldest);
  }

  /** Takes in a look; the first one only shows who has what. */
  see({ cities, databaseNowMs }: FleetLook): void {
    const holders = new Map<string, { readonly worker: string | null; readonly token: string }>();
    const fresh: [string, Move][] = [];
    for (const { city, lease } of cities) {
      if (lease === undefined) continue;
      const { name } = city.metadata;
      const worker = lease.worker ?? null;
      const before = this.#holders?.get(name);
      const token = String(lease.token);
      holders.set(name, before?.worker === worker && before.token === token ? before : { worker, token });
      const from = before?.worker ?? null;
      if (this.#holders === undefined || from === worker) continue;
      const because = this.#causes.get(keyOf(name, token)) ?? null;
      fresh.push([keyOf(name, token), { atMs: databaseNowMs, city: name, from, to: worker, token, because }]);
    }
    this.#holders = holders;
    if (fresh.length > 0) this.#moves = new Map([...this.#moves, ...fresh].slice(-MOVES_MAX));
  }
}

function keyOf(city: string, token: string): string {
  return `${city} ${token}`;
}
