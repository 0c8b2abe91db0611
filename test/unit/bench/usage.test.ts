import { expect, test } from "@jest/globals";
import { increase, isWrite, requestCountsIn } from "../../bench/fleet/usage.ts";

const METRICS = `
# TYPE apiserver_request_total counter
apiserver_request_total{code="200",component="apiserver",dry_run="",group="coordination.k8s.io",resource="leases",scope="resource",subresource="",verb="PUT",version="v1"} 7
apiserver_request_total{code="409",component="apiserver",dry_run="",group="coordination.k8s.io",resource="leases",scope="resource",subresource="",verb="PUT",version="v1"} 2
apiserver_request_total{code="200",component="apiserver",dry_run="",group="dispatch.city",resource="cities",scope="resource",subresource="status",verb="PATCH",version="v1alpha1"} 5
apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="",scope="",subresource="/metrics",verb="GET",version=""} 3
apiserver_request_duration_seconds_count{resource="leases",verb="PUT"} 99
`;

test("requests are counted by verb and resource, whatever the answer was; those for no resource are not", () => {
  expect([...requestCountsIn(METRICS)]).toEqual([
    ["PUT leases", 9],
    ["PATCH cities/status", 5],
  ]);
});

test("what happened between two readings comes with the most first, and nothing that did not happen", () => {
  const before = new Map([
    ["PUT leases", 9],
    ["GET leases", 4],
  ]);
  const after = new Map([
    ["PUT leases", 10],
    ["GET leases", 4],
    ["PATCH cities/status", 5],
  ]);
  expect(increase(before, after)).toEqual([
    ["PATCH cities/status", 5],
    ["PUT leases", 1],
  ]);
});

test("a watch or a read is no write", () => {
  expect(["PUT leases", "PATCH cities/status", "DELETE leases", "POST events"].every(isWrite)).toBe(true);
  expect(["GET leases", "LIST leases", "WATCH cities"].some(isWrite)).toBe(false);
});
