import { expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { Ranking } from "../../../operator/cities/ranking.ts";

test("knows the least and the greatest after any changes, as a search through all of them does", () => {
  const anyChanges = fc.record({
    members: fc.integer({ min: 1, max: 12 }),
    changes: fc.array(fc.tuple(fc.nat({ max: 11 }), fc.integer({ min: -3, max: 3 })), { maxLength: 60 }),
  });
  fc.assert(
    fc.property(anyChanges, ({ members: count, changes }) => {
      const members = Array.from({ length: count }, (_, index) => ({ id: `w${index}` }));
      const ranks = new Map<string, number>();
      const rankOf = ({ id }: { readonly id: string }): number => ranks.get(id) ?? 0;
      const ranking = new Ranking(members, rankOf);
      for (const [index, by] of changes) {
        const member = members[index % count]!;
        ranking.takeOut(member);
        ranks.set(member.id, rankOf(member) + by);
        ranking.putBack(member);
        const searched = members.toSorted(
          (left, right) => rankOf(left) - rankOf(right) || (left.id < right.id ? -1 : 1),
        );
        expect(ranking.least(undefined)).toBe(searched[0]);
        expect(ranking.greatest()).toBe(searched.at(-1));
        expect(ranking.least(searched[0]!.id)).toBe(searched[1]);
      }
    }),
  );
});
