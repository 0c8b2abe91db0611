import { expect, test } from "@jest/globals";
import { askedBy, installMocks, only, revealed } from "./program.ts";

test("the example installs the operator and declares a City for each entry of its list", async () => {
  await installMocks({
    image: "registry.example.com/city-operator",
    tag: "0.1.0",
    operatorUrl: "mysql://o",
    workerUrl: "mysql://w",
    adminUrl: "mysql://a",
  });
  const asked = await askedBy(() => import("../example/main.ts"));
  const cities = asked.filter(({ type }) => type === "kubernetes:dispatch.city/v1alpha1:City");
  expect(cities.map(({ name }) => name).toSorted()).toEqual(["lisbon", "london", "madrid", "paris"]);
  expect(cities.find(({ name }) => name === "lisbon")?.inputs["spec"]).toEqual({
    period: "10s",
    timeZone: "Europe/Lisbon",
    suspend: true,
  });
  expect(revealed(only(asked, "kubernetes:core/v1:Secret").inputs["stringData"])).toMatchObject({
    "worker-url": "mysql://w",
  });
});
