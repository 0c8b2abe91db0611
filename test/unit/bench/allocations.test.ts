import { expect, test } from "@jest/globals";
import { dispatch } from "../../../worker/dispatch/dispatch.ts";
import { bytesAllocatedBy } from "../../support/allocations.ts";
import { aRandomSnapshot, PARAMETERS } from "../../support/dispatch-snapshot.ts";

const RUNS = 10;

/** What may not grow without somebody deciding so. Half as much again as what was counted, for what compilers do differently. */
test.each([
  [{ orders: 50, couriers: 100 }, 2.5],
  [{ orders: 200, couriers: 400 }, 4],
])("the decision of a tick with %o allocates no more than %d MB", async (size, megabytes) => {
  const snapshot = aRandomSnapshot(1, size);
  const bytes = await bytesAllocatedBy(
    () => dispatch(snapshot, PARAMETERS, { hasPassed: () => false }),
    RUNS,
  );
  expect(bytes).toBeLessThanOrEqual(megabytes * 1e6);
});
