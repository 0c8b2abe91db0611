/**
 * Members of one group in ascending order of a number that changes as they are given more: the least is found at once,
 * and a change costs a search by halves, however many there are. Among equals the one with the smaller id comes first.
 */
export class Ranking<Member extends { readonly id: string }> {
  readonly #sorted: Member[];
  readonly #ids: ReadonlySet<string>;
  readonly #rankOf: (member: Member) => number;

  /** `rankOf` as it is now: who changes it for a member takes the member out before, and puts it back afterwards. */
  constructor(members: readonly Member[], rankOf: (member: Member) => number) {
    this.#rankOf = rankOf;
    this.#ids = new Set(members.map(({ id }) => id));
    this.#sorted = members.toSorted((left, right) => this.#compare(left, right));
  }

  /** The first that is not `avoid`. */
  least(avoid: string | undefined): Member | undefined {
    const [first, second] = this.#sorted;
    return first !== undefined && first.id === avoid ? second : first;
  }

  greatest(): Member | undefined {
    return this.#sorted.at(-1);
  }

  has({ id }: Member): boolean {
    return this.#ids.has(id);
  }

  takeOut(member: Member): void {
    this.#sorted.splice(this.#indexOf(member), 1);
  }

  putBack(member: Member): void {
    this.#sorted.splice(this.#indexOf(member), 0, member);
  }

  /** Where the member stands, or would stand. */
  #indexOf(member: Member): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#sorted[middle];
      if (other !== undefined && this.#compare(other, member) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #compare(left: Member, right: Member): number {
    if (left.id === right.id) return 0;
    return this.#rankOf(left) - this.#rankOf(right) || (left.id < right.id ? -1 : 1);
  }
}
