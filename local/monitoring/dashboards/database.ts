import { rate, type Dashboard, type Query } from "./dashboard.ts";

const HERE = 'namespace="$namespace"';

/** Both processes ask the same database, each under its own metrics. */
const both = (query: (process: string) => Query): readonly Query[] => ["worker", "operator"].map(query);

const duration = (of: number, statement: string): Query => ({
  query: `histogram_quantile(${of}, sum by (le) (rate(dispatch_worker_database_duration_seconds_bucket{${HERE}, statement="${statement}"}[$__rate_interval])))`,
  legend: `${of * 100} %`,
});

export const database: Dashboard = {
  uid: "city-operator-database",
  title: "City operator / Database",
  description:
    "What the product asks of MySQL, and how MySQL answers. MySQL's own metrics are its own exporter's.",
  variables: [],
  rows: [
    {
      title: "All statements",
      panels: [
        {
          title: "Statements",
          description: "Rate by procedure.",
          kind: "timeseries",
          unit: "ops",
          queries: both((process) => ({
            query: rate(`dispatch_${process}_database_duration_seconds_count`, HERE, "statement"),
            legend: `${process} {{statement}}`,
          })),
        },
        {
          title: "Failures",
          description:
            "Unreachable and timeout heal by themselves; denied, schema and statement need a person.",
          kind: "timeseries",
          unit: "ops",
          queries: both((process) => ({
            query: rate(`dispatch_${process}_database_failures_total`, HERE, "because"),
            legend: `${process} {{because}}`,
          })),
        },
        {
          title: "Since MySQL last answered the operators",
          description: "They ask every second. From 3 s on nothing is moved for silence.",
          kind: "timeseries",
          unit: "s",
          redFrom: 3,
          queries: [
            {
              query: `max by (pod) (dispatch_operator_database_silence_seconds{${HERE}})`,
              legend: "{{pod}}",
            },
          ],
        },
      ],
    },
    {
      title: "The three calls of a tick",
      panels: [
        {
          title: "Snapshot",
          description: "read_snapshot: the fence and both views, in one consistent read.",
          kind: "timeseries",
          unit: "s",
          queries: [duration(0.5, "read_snapshot"), duration(0.99, "read_snapshot")],
        },
        {
          title: "Commit",
          description: "commit_tick: the decisions, the ledger and the fence, in one transaction.",
          kind: "timeseries",
          unit: "s",
          queries: [duration(0.5, "commit_tick"), duration(0.99, "commit_tick")],
        },
        {
          title: "Explanations",
          description: "keep_explanation: after the commit, and given up first when MySQL is slow.",
          kind: "timeseries",
          unit: "s",
          queries: [duration(0.5, "keep_explanation"), duration(0.99, "keep_explanation")],
        },
        {
          title: "Commits that were not plain",
          description:
            "Fenced: a later holder. Unknown: sent, and no answer came. Outpaced, reload: MySQL holds another history.",
          kind: "timeseries",
          unit: "ops",
          queries: [
            {
              query: rate(
                "dispatch_worker_ticks_total",
                `${HERE}, outcome=~"fenced|unknown|outpaced|reload"`,
                "outcome",
              ),
              legend: "{{outcome}}",
            },
          ],
        },
        {
          title: "Ticks missed for MySQL",
          description: "Nothing was sent, since the snapshot or the connection failed.",
          kind: "timeseries",
          unit: "ops",
          queries: [
            {
              query: rate("dispatch_worker_missed_ticks_total", `${HERE}, because="database"`, "namespace"),
              legend: "missed",
            },
          ],
        },
        {
          title: "Explanations by what became of them",
          description: "Written with luck: a tick never waits for them.",
          kind: "timeseries",
          unit: "ops",
          queries: [
            { query: rate("dispatch_worker_explanations_total", HERE, "outcome"), legend: "{{outcome}}" },
          ],
        },
      ],
    },
  ],
};
