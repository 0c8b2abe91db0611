/** Grafana dashboards, in as few words as they need, and the JSON that Grafana imports. Pure. */

export type Query = {
  /** PromQL. May use `$namespace`, `$__rate_interval` and the dashboard's other variables. */
  readonly query: string;
  /** What the series is called, such as "{{pod}}". */
  readonly legend: string;
};

/** Grafana's names of units. */
export type Unit = "short" | "s" | "percentunit" | "ops" | "bytes" | "none";

export type Panel = {
  readonly title: string;
  /** What to make of it: shown when a person points at the title. */
  readonly description: string;
  readonly kind: "timeseries" | "stat" | "table";
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** Columns of 24; a row of panels fills them. Default 8. */
  readonly width?: number;
  /** From this value on it is red. */
  readonly redFrom?: number;
};

export type Row = { readonly title: string; readonly panels: readonly Panel[] };

export type Dashboard = {
  /** The file's name, and the dashboard's address in Grafana. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** Beside `datasource` and `namespace`, which all have: names with the query of their values. */
  readonly variables: readonly {
    readonly name: string;
    readonly values: string;
    readonly isMulti: boolean;
  }[];
  readonly rows: readonly Row[];
};

export const TAG = "city-operator";
const COLUMNS = 24;
const PANEL_HEIGHT = 8;
const STAT_HEIGHT = 4;
const SCHEMA_VERSION = 39;
const DATASOURCE = { type: "prometheus", uid: "${datasource}" };

/** The panels of all rows. */
export function panelsOf(dashboard: Dashboard): readonly Panel[] {
  return dashboard.rows.flatMap(({ panels }) => panels);
}

/** The JSON model. */
export function grafanaJson(dashboard: Dashboard): string {
  const { uid, title, description, variables, rows } = dashboard;
  const model = {
    uid,
    title,
    description,
    tags: [TAG],
    schemaVersion: SCHEMA_VERSION,
    editable: true,
    graphTooltip: 1,
    refresh: "30s",
    time: { from: "now-1h", to: "now" },
    timezone: "browser",
    links: [
      {
        type: "dashboards",
        title: "City operator",
        tags: [TAG],
        asDropdown: true,
        keepTime: true,
        includeVars: true,
      },
    ],
    templating: {
      list: [
        { name: "datasource", type: "datasource", query: "prometheus", label: "Data source" },
        variableJson({
          name: "namespace",
          values: "label_values(dispatch_operator_leading, namespace)",
          isMulti: false,
        }),
        ...variables.map(variableJson),
      ],
    },
    panels: placed(rows),
  };
  return `${JSON.stringify(model, undefined, 2)}\n`;
}

function variableJson({ name, values, isMulti }: Dashboard["variables"][number]): object {
  const all = isMulti
    ? { multi: true, includeAll: true, allValue: ".*", current: { text: "All", value: "$__all" } }
    : {};
  return { name, type: "query", datasource: DATASOURCE, query: values, refresh: 2, sort: 1, ...all };
}

/** Rows from top to bottom, panels from left to right. */
function placed(rows: readonly Row[]): readonly object[] {
  const out: object[] = [];
  let y = 0;
  for (const { title, panels } of rows) {
    out.push({
      id: out.length + 1,
      type: "row",
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: COLUMNS, h: 1 },
    });
    y += 1;
    let x = 0;
    let height = 0;
    for (const panel of panels) {
      const w = panel.width ?? 8;
      const h = panel.kind === "stat" ? STAT_HEIGHT : PANEL_HEIGHT;
      if (x + w > COLUMNS) {
        x = 0;
        y += height;
        height = 0;
      }
      out.push(panelJson(panel, { id: out.length + 1, gridPos: { x, y, w, h } }));
      x += w;
      height = Math.max(height, h);
    }
    y += height;
  }
  return out;
}

function panelJson(panel: Panel, place: object): object {
  const { title, description, kind, unit, queries, redFrom } = panel;
  const isInstant = kind !== "timeseries";
  return {
    ...place,
    type: kind,
    title,
    description,
    datasource: DATASOURCE,
    targets: queries.map(({ query, legend }, index) => ({
      refId: String.fromCodePoint(65 + index),
      datasource: DATASOURCE,
      expr: query,
      legendFormat: legend,
      ...(isInstant ? { instant: true, range: false } : { range: true }),
      ...(kind === "table" ? { format: "table" } : {}),
    })),
    fieldConfig: { defaults: { unit, min: 0, ...thresholds(redFrom), ...lines(kind) }, overrides: [] },
    ...(kind === "timeseries"
      ? {
          options: {
            legend: { displayMode: "list", placement: "bottom" },
            tooltip: { mode: "multi", sort: "desc" },
          },
        }
      : {}),
    ...(kind === "stat"
      ? { options: { reduceOptions: { calcs: ["lastNotNull"] }, colorMode: "value" } }
      : {}),
  };
}

function lines(kind: Panel["kind"]): object {
  return kind === "timeseries" ? { custom: { lineWidth: 1, fillOpacity: 8, showPoints: "never" } } : {};
}

function thresholds(redFrom: number | undefined): object {
  const steps = [
    { color: "green", value: null },
    ...(redFrom === undefined ? [] : [{ color: "red", value: redFrom }]),
  ];
  return { thresholds: { mode: "absolute", steps } };
}

/** A quantile of a histogram by some of its labels. */
export function quantile(of: number, histogram: string, selector: string, by: string): string {
  const labels = by === "" ? "le" : `le, ${by}`;
  return `histogram_quantile(${of}, sum by (${labels}) (rate(${histogram}_bucket{${selector}}[$__rate_interval])))`;
}

/** Per second, by some labels. */
export function rate(counter: string, selector: string, by: string): string {
  return `sum by (${by}) (rate(${counter}{${selector}}[$__rate_interval]))`;
}
