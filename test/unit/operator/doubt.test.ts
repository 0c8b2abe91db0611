import { expect, test } from "@jest/globals";
import { parseToken } from "../../../crds/token.ts";
import { cityView, decide, fenceView, NOW_MS, workerView } from "../../support/fleet.ts";

const workers = [workerView("w1"), workerView("w2")];

test("a city that has not ticked for long is moved, but not while the database cannot be asked", () => {
  const silent = cityView("madrid", {
    holder: "w1",
    watchedSinceMs: NOW_MS - 60_000,
    fence: fenceView({ holder: "w1" }),
  });
  expect(decide([silent], workers)["madrid"]).toMatchObject({ kind: "assign", because: "stalled" });
  expect(decide([silent], workers, { isDatabaseReachable: false })["madrid"]).toEqual({ kind: "keep" });
});

test("a city whose fence is ahead of its Lease waits until it is found out why", () => {
  const ahead = cityView("madrid", {
    holder: "gone",
    fence: fenceView({ token: parseToken("9"), holder: "w1" }),
  });
  expect(decide([ahead], workers)["madrid"]).toEqual({ kind: "wait", because: "fence-ahead" });
});
