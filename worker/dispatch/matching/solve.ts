import type { Candidates } from "./candidates.ts";
import type { Deadline } from "./match.ts";
import { matchAtMinimumCost, type PathMatching } from "./paths.ts";

/**
 * The matching that costs least among all pairs, also those that the candidates left out at first. When the deadline comes
 * before that is proven (`isComplete` is false), a good one in which no order is without a courier who would be free for it.
 */
export function solve(candidates: Candidates, deadline: Deadline): PathMatching {
  let matching = matchAtMinimumCost(candidates, deadline);
  while (matching.isComplete) {
    const improvements = candidates.addImprovements(matching, deadline);
    if (improvements === "none-left") return matching;
    const improved = improvements === "added" ? matchAtMinimumCost(candidates, deadline) : undefined;
    // One that was cut short may be worse than the one before, which is now not known to be the best either.
    matching = improved?.isComplete === true ? improved : { ...matching, isComplete: false };
  }
  candidates.serveRest(matching.columnOf);
  return matching;
}
