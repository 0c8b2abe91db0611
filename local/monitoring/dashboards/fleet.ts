import { quantile, rate, type Dashboard, type Panel, type Row } from "./dashboard.ts";

const HERE = 'namespace="$namespace"';

/** What every process has, for the operators alone. */
const ofOperators = (query: string): string => `${query} and on (pod) dispatch_operator_leading{${HERE}}`;

const stat = (panel: Omit<Panel, "kind" | "width">): Panel => ({ ...panel, kind: "stat", width: 4 });

const promises: Row = {
  title: "What is promised",
  panels: [
    stat({
      title: "Late now",
      description: "Cities that are to tick and whose last commit is too old, or that nobody holds.",
      unit: "none",
      redFrom: 1,
      queries: [
        {
          query: `sum(dispatch_operator_cities{${HERE}, state=~"late|stalled|unassigned"})`,
          legend: "Cities",
        },
      ],
    }),
    stat({
      title: "Time on time, 1 h",
      description:
        "Share of the time of all Cities in which the last commit was not late. Objective: 99.9 %.",
      unit: "percentunit",
      queries: [{ query: `1 - namespace:dispatch_late:ratio_rate1h{${HERE}}`, legend: "on time" }],
    }),
    stat({
      title: "Slots without a tick, 1 h",
      description: "Share of all slots of the grid that nobody ran.",
      unit: "percentunit",
      redFrom: 0.001,
      queries: [{ query: `namespace:dispatch_missed_slots:ratio_rate1h{${HERE}}`, legend: "missed" }],
    }),
    stat({
      title: "Oldest order without a courier",
      description: "Of all Cities. Some orders are held back on purpose until a better courier is near.",
      unit: "s",
      redFrom: 900,
      queries: [{ query: `max(dispatch_worker_oldest_unassigned_order_seconds{${HERE}})`, legend: "oldest" }],
    }),
    stat({
      title: "Live workers",
      description: "Workers that the operator gives Cities to.",
      unit: "none",
      queries: [{ query: `sum(dispatch_operator_workers{${HERE}, liveness="live"})`, legend: "workers" }],
    }),
    stat({
      title: "Leaders",
      description: "1. While it is 0, nothing moves.",
      unit: "none",
      queries: [{ query: `sum(dispatch_operator_leading{${HERE}})`, legend: "leaders" }],
    }),
  ],
};

const cities: Row = {
  title: "Cities",
  panels: [
    {
      title: "Cities by state",
      description: "Late: no commit for two periods. Stalled: none for stallAfterTicks, about to be moved.",
      kind: "timeseries",
      unit: "none",
      queries: [{ query: `sum by (state) (dispatch_operator_cities{${HERE}})`, legend: "{{state}}" }],
    },
    {
      title: "Oldest commits",
      description: "The ten Cities whose last commit is oldest; compare it with their period.",
      kind: "timeseries",
      unit: "s",
      queries: [
        {
          query: `topk(10, max by (city) (dispatch_operator_city_commit_age_seconds{${HERE}}))`,
          legend: "{{city}}",
        },
      ],
    },
    {
      title: "Ticks and missed slots",
      description: "By the fences that the leader sees: what was committed, and what is missing between.",
      kind: "timeseries",
      unit: "ops",
      queries: [
        { query: rate("dispatch_operator_committed_ticks_total", HERE, "namespace"), legend: "committed" },
        { query: rate("dispatch_operator_missed_slots_total", HERE, "namespace"), legend: "missed" },
      ],
    },
    {
      title: "Waiting for",
      description: "Cities for which something should be done that must wait, by cause.",
      kind: "timeseries",
      unit: "none",
      queries: [
        { query: `sum by (because) (dispatch_operator_waiting_cities{${HERE}})`, legend: "{{because}}" },
      ],
    },
    {
      title: "Stalls and brakes, per hour",
      description: "A stall moves one City; the brake holds when most stall, or most workers are lost.",
      kind: "timeseries",
      unit: "short",
      queries: [
        { query: `sum(increase(dispatch_operator_stalls_total{${HERE}}[1h]))`, legend: "stalls" },
        {
          query: `sum by (brake) (increase(dispatch_operator_brakes_total{${HERE}}[1h]))`,
          legend: "brake {{brake}}",
        },
      ],
    },
    {
      title: "Ticks by outcome",
      description:
        "As the workers tell it. Fenced: another holder had claimed. Unknown: the answer was lost.",
      kind: "timeseries",
      unit: "ops",
      queries: [{ query: rate("dispatch_worker_ticks_total", HERE, "outcome"), legend: "{{outcome}}" }],
    },
  ],
};

/** Over an hour: moves are rare. */
const gap = (kind: string, of: number): string =>
  `histogram_quantile(${of}, sum by (le, because) (rate(dispatch_operator_${kind}_gap_beyond_period_seconds_bucket{${HERE}}[1h])))`;

const moves: Row = {
  title: "Moves",
  panels: [
    {
      title: "Assignments by cause, per minute",
      description: "Leases written. A rollout shows as holder-draining, a dead worker as holder-gone.",
      kind: "timeseries",
      unit: "short",
      queries: [
        {
          query: `60 * ${rate("dispatch_operator_assignments_total", HERE, "because")}`,
          legend: "{{because}}",
        },
      ],
    },
    {
      title: "Handoffs: 99 % wait no longer than",
      description:
        "Planned moves of the last hour: time without a commit beyond the period. They should cost nothing.",
      kind: "timeseries",
      unit: "s",
      redFrom: 1,
      queries: [{ query: gap("handoff", 0.99), legend: "{{because}}" }],
    },
    {
      title: "Takeovers: 99 % wait no longer than",
      description: "Unplanned moves of the last hour: time without a commit beyond the period.",
      kind: "timeseries",
      unit: "s",
      queries: [{ query: gap("takeover", 0.99), legend: "{{because}}" }],
    },
    {
      title: "Workers by liveness",
      description: "Late: silent for two heartbeats. Draining: asked to be relieved.",
      kind: "timeseries",
      unit: "none",
      queries: [{ query: `sum by (liveness) (dispatch_operator_workers{${HERE}})`, legend: "{{liveness}}" }],
    },
    {
      title: "Cities per worker",
      description: "As the workers tell it.",
      kind: "timeseries",
      unit: "none",
      queries: [{ query: `sum by (pod) (dispatch_worker_cities{${HERE}})`, legend: "{{pod}}" }],
    },
    {
      title: "Takeovers within 20 s, last hour",
      description:
        "Share of the unplanned moves after which the first commit came within 20 s beyond the period.",
      kind: "timeseries",
      unit: "percentunit",
      queries: [{ query: `1 - namespace:dispatch_slow_takeovers:ratio_rate1h{${HERE}}`, legend: "in time" }],
    },
  ],
};

const operator: Row = {
  title: "Operator",
  panels: [
    {
      title: "What it does",
      description: "Decisions carried out, by result. Conflicts are decided anew; failures are tried again.",
      kind: "timeseries",
      unit: "ops",
      queries: [{ query: rate("dispatch_operator_acts_total", HERE, "result"), legend: "{{result}}" }],
    },
    {
      title: "How long it takes, 99 %",
      description: "Decide: a look at the whole fleet. Act: one Lease, seal or finalizer.",
      kind: "timeseries",
      unit: "s",
      queries: [
        { query: quantile(0.99, "dispatch_operator_decide_duration_seconds", HERE, ""), legend: "decide" },
        { query: quantile(0.99, "dispatch_operator_act_duration_seconds", HERE, ""), legend: "act" },
      ],
    },
    {
      title: "API requests",
      description: "Rate by verb, and what failed. Watches do not count.",
      kind: "timeseries",
      unit: "ops",
      queries: [
        { query: rate("dispatch_operator_api_duration_seconds_count", HERE, "verb"), legend: "{{verb}}" },
        {
          query: rate("dispatch_operator_api_failures_total", HERE, "because"),
          legend: "failed: {{because}}",
        },
      ],
    },
    {
      title: "CPU",
      description: "Cores in use by each operator.",
      kind: "timeseries",
      unit: "short",
      queries: [{ query: ofOperators(rate("process_cpu_seconds_total", HERE, "pod")), legend: "{{pod}}" }],
    },
    {
      title: "Memory",
      description: "Resident, of each operator.",
      kind: "timeseries",
      unit: "bytes",
      queries: [
        { query: ofOperators(`sum by (pod) (process_resident_memory_bytes{${HERE}})`), legend: "{{pod}}" },
      ],
    },
    {
      title: "Authority",
      description:
        "Foreign: the database takes tokens from another cluster. Epochs: etcd went back in time, last day.",
      kind: "timeseries",
      unit: "short",
      queries: [
        { query: `max(dispatch_operator_foreign_authority{${HERE}})`, legend: "foreign" },
        {
          query: `sum(increase(dispatch_operator_epoch_raised_total{${HERE}}[1d]))`,
          legend: "epochs raised",
        },
      ],
    },
  ],
};

export const fleet: Dashboard = {
  uid: "city-operator-fleet",
  title: "City operator / Fleet",
  description: "Is everything committing, who has what, what moves and why.",
  variables: [],
  rows: [promises, cities, moves, operator],
};
