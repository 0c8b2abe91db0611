import type { FleetLook } from "../cities/view.ts";
import type { Move } from "./page/picture.ts";

/**
 * Moves as every replica sees them: who has a city by its Lease, and who had it at the look before. The cause stands in the Lease.
 * What moved twice between two looks is one move.
 */

const MOVES_MAX = 200;

export class Moves {
  #holders: ReadonlyMap<string, string | undefined> | undefined;
  #moves: ReadonlyMap<string, Move> = new Map();

  /** The newest ones, the oldest first. The same object as long as none is added. */
  get latest(): ReadonlyMap<string, Move> {
    return this.#moves;
  }

  /** Takes in a look; the first one only shows who has what. */
  see({ cities, databaseNowMs }: FleetLook): void {
    const before = this.#holders;
    const holders = new Map<string, string | undefined>();
    const fresh: [string, Move][] = [];
    for (const { city, lease } of cities) {
      const { name } = city.metadata;
      holders.set(name, lease?.worker);
      const from = before?.get(name);
      if (before === undefined || lease === undefined || from === lease.worker) continue;
      const token = String(lease.token);
      const because = lease.because ?? null;
      const to = lease.worker ?? null;
      fresh.push([
        `${name} ${token}`,
        { atMs: databaseNowMs, city: name, from: from ?? null, to, token, because },
      ]);
    }
    this.#holders = holders;
    if (fresh.length > 0) this.#moves = new Map([...this.#moves, ...fresh].slice(-MOVES_MAX));
  }
}
