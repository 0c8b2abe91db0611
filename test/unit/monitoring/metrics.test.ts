import { readFile } from "node:fs/promises";
import { describe, expect, test } from "@jest/globals";
import { deriveMonitoring } from "../../../local/monitoring/derived.ts";
import { declaredMetrics } from "../../../local/monitoring/metrics-table.ts";

/** What is said of the metrics is what the code has. */

const declared = Object.entries(declaredMetrics()).flatMap(([process, descriptions]) =>
  descriptions.map((description) => ({ process, ...description })),
);

test.each([...deriveMonitoring()])(
  "%s is what the code makes; otherwise, make monitoring-docs",
  async (path, text) => {
    expect(await readFile(path, "utf8")).toBe(text);
  },
);

describe.each(declared)("$name", ({ process, name, unit, help, type, label }) => {
  test("is called after its process, and by the unit that it has", () => {
    expect(name).toMatch(new RegExp(`^dispatch_${process}_[a-z_]+$`));
    expect(name.endsWith("_total")).toBe(type === "counter");
    expect(/_seconds(_total)?$/.test(name)).toBe(unit === "seconds");
    if (type === "histogram") expect(unit).toBe("seconds");
  });

  test("says in a sentence what it is", () => {
    expect(help).toMatch(/^[A-Z0-9].{10,}\.$/);
    expect(unit).not.toBe("");
  });

  test("has a closed set of series, unless it is one per City on the leader", () => {
    if (label !== undefined && label.values === undefined) {
      expect([process, label.name]).toEqual(["operator", "city"]);
      expect(help).toContain("at most 10,000");
    }
  });
});
