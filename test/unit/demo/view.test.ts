import { expect, test } from "@jest/globals";
import { recordedCityName } from "../../../local/demo/manifests.ts";
import { formatFleet, parseTable, summarizeFleet, type FleetPicture } from "../../../local/demo/view.ts";

const KUBECTL = `NAME     READY   WORKER            TICK   LAST COMMIT   PERIOD   AGE
berlin   True    worker-1-ac11fa   2      1s            1s       4s
lisbon                                                  1s       4s
`;

test("a table of kubectl is cut into its columns, empty ones included", () => {
  expect(parseTable(KUBECTL)).toEqual({
    headings: ["NAME", "READY", "WORKER", "TICK", "LAST COMMIT", "PERIOD", "AGE"],
    rows: [
      ["berlin", "True", "worker-1-ac11fa", "2", "1s", "1s", "4s"],
      ["lisbon", "", "", "", "", "1s", "4s"],
    ],
  });
});

const picture: FleetPicture = {
  headings: ["NAME", "READY"],
  cities: [
    {
      columns: ["berlin", "True"],
      openOrders: 12,
      oldestUnassignedSeconds: 3.25,
      lastTickAgeSeconds: 0.5,
      delivered: 7,
    },
    {
      columns: ["lisbon", ""],
      openOrders: undefined,
      oldestUnassignedSeconds: undefined,
      lastTickAgeSeconds: undefined,
      delivered: undefined,
    },
  ],
  events: [],
  elapsedSeconds: 10.4,
};

test("the picture has kubectl's columns and what only the database knows", () => {
  expect(formatFleet(picture)).toEqual([
    "NAME     READY   OPEN ORDERS   OLDEST UNASSIGNED   TICK AGE   DELIVERED",
    "berlin   True    12            3.3s                0.5s       7",
    "lisbon           -             -                   -          -",
  ]);
});

test("without a terminal one line says it", () => {
  expect(summarizeFleet(picture)).toBe("10 s: berlin 12 open, tick 0.5s ago; lisbon - open, tick - ago");
});

test.each([
  ["../data/mdrplib/0o50t100s1p100/", "0o50t100s1p100"],
  ["/days/Lisbon 2019_05", "lisbon-2019-05"],
  ["...", "recorded"],
])("the folder %s becomes the City %s", (folder, name) => {
  expect(recordedCityName(folder)).toBe(name);
});
