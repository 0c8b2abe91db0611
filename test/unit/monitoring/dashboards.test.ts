import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { grafanaJson, panelsOf } from "../../../local/monitoring/dashboards/dashboard.ts";
import { DASHBOARDS } from "../../../local/monitoring/derived.ts";
import { declaredMetrics } from "../../../local/monitoring/metrics-table.ts";
import { isDeclared, metricsIn } from "../../support/prometheus.ts";

/** The dashboards and rules beside what the code measures. */

const RULES = readFileSync("helm/city-operator/files/rules.yaml", "utf8");
const recorded = new Set([...RULES.matchAll(/record: (\S+)/g)].map(([, name]) => name));

type Placed = {
  readonly id: number;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
};

describe.each(DASHBOARDS.map((dashboard) => [dashboard.title, dashboard] as const))(
  "%s",
  (_title, dashboard) => {
    const { panels } = JSON.parse(grafanaJson(dashboard)) as { readonly panels: readonly Placed[] };

    test("asks for no metric that neither the code has nor a rule records", () => {
      const queries = panelsOf(dashboard).flatMap((panel) => panel.queries.map(({ query }) => query));
      const asked = queries.flatMap(metricsIn);
      expect(asked.length).toBeGreaterThanOrEqual(queries.length);
      expect(asked.filter((name) => !recorded.has(name) && !isDeclared(name))).toEqual([]);
    });

    test("has a place of its own for every panel", () => {
      const taken = new Set<string>();
      for (const { gridPos } of panels) {
        expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
            expect(taken.has(`${x} ${y}`)).toBe(false);
            taken.add(`${x} ${y}`);
          }
        }
      }
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    });

    test("says of every panel what to make of it", () => {
      for (const { title, description, queries } of panelsOf(dashboard)) {
        expect([title, description]).toEqual([
          title,
          expect.stringMatching(/^[A-Z0-9`][^]*\.$|^[a-z_]+: .*\.$/),
        ]);
        expect(queries.length).toBeGreaterThan(0);
      }
    });
  },
);

test("whatever is measured is on a dashboard, or somebody is alerted by it", () => {
  const queries = DASHBOARDS.flatMap(panelsOf).flatMap((panel) => panel.queries.map(({ query }) => query));
  const used = new Set(
    [...queries, RULES].flatMap(metricsIn).map((name) => name.replace(/_(bucket|count|sum)$/, "")),
  );
  const idle = Object.values(declaredMetrics())
    .flat()
    .filter(({ name }) => !used.has(name.replace(/_(bucket|count|sum)$/, "")));
  expect(idle.map(({ name }) => name)).toEqual([]);
});
