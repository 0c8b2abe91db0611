import { quantile, rate, type Dashboard, type Row } from "./dashboard.ts";

const PODS = 'namespace="$namespace", pod=~"$pod"';

const ticks: Row = {
  title: "Ticks",
  panels: [
    {
      title: "Ticks by outcome",
      description:
        "Rate and errors. Missed: nothing was sent. Reload and outpaced: the database holds another history.",
      kind: "timeseries",
      unit: "ops",
      queries: [{ query: rate("dispatch_worker_ticks_total", PODS, "outcome"), legend: "{{outcome}}" }],
    },
    {
      title: "Duration of a tick",
      description: "From its start to its outcome.",
      kind: "timeseries",
      unit: "s",
      queries: [0.5, 0.99].map((of) => ({
        query: quantile(of, "dispatch_worker_tick_duration_seconds", PODS, ""),
        legend: `${of * 100} %`,
      })),
    },
    {
      title: "Stages of a tick, 99 %",
      description: "Snapshot and commit are MySQL's time, decide is the dispatcher's.",
      kind: "timeseries",
      unit: "s",
      queries: [
        {
          query: quantile(0.99, "dispatch_worker_tick_stage_duration_seconds", PODS, "stage"),
          legend: "{{stage}}",
        },
      ],
    },
    {
      title: "Lateness of a tick's start, 99 %",
      description: "From the scheduled start of its slot. More than 50 ms: the worker has too much to do.",
      kind: "timeseries",
      unit: "s",
      queries: [
        { query: quantile(0.99, "dispatch_worker_tick_lateness_seconds", PODS, "pod"), legend: "{{pod}}" },
      ],
    },
    {
      title: "Missed ticks and skipped slots",
      description: "What kept ticks from being sent, and slots from being run.",
      kind: "timeseries",
      unit: "ops",
      queries: [
        { query: rate("dispatch_worker_missed_ticks_total", PODS, "because"), legend: "missed: {{because}}" },
        {
          query: rate("dispatch_worker_skipped_slots_total", PODS, "because"),
          legend: "skipped: {{because}}",
        },
      ],
    },
    {
      title: "Claims by outcome",
      description: "Behind: a larger token is at the fence. Foreign: another cluster has the authority.",
      kind: "timeseries",
      unit: "ops",
      queries: [{ query: rate("dispatch_worker_claims_total", PODS, "outcome"), legend: "{{outcome}}" }],
    },
  ],
};

const dispatch: Row = {
  title: "Dispatch",
  panels: [
    {
      title: "Orders without a courier",
      description: "Within the horizon, after the last tick.",
      kind: "timeseries",
      unit: "none",
      queries: [{ query: `sum by (pod) (dispatch_worker_unassigned_orders{${PODS}})`, legend: "{{pod}}" }],
    },
    {
      title: "Oldest order without a courier",
      description: "Counted from when it was placed or came within the horizon.",
      kind: "timeseries",
      unit: "s",
      redFrom: 900,
      queries: [
        {
          query: `max by (pod) (dispatch_worker_oldest_unassigned_order_seconds{${PODS}})`,
          legend: "{{pod}}",
        },
      ],
    },
    {
      title: "Decisions",
      description: "Applied, or dropped since order or courier had changed meanwhile.",
      kind: "timeseries",
      unit: "ops",
      queries: [{ query: rate("dispatch_worker_decisions_total", PODS, "result"), legend: "{{result}}" }],
    },
    {
      title: "Degraded ticks",
      description: "Committed, but not the best answer: the deadline came first, or the snapshot was cut.",
      kind: "timeseries",
      unit: "ops",
      queries: [
        { query: rate("dispatch_worker_degraded_ticks_total", PODS, "because"), legend: "{{because}}" },
      ],
    },
    {
      title: "Failures of dispatchers, refused decisions",
      description: "By cause. A dispatcher that fails is stood in for.",
      kind: "timeseries",
      unit: "ops",
      queries: [
        {
          query: rate("dispatch_worker_dispatcher_failures_total", PODS, "because"),
          legend: "failed: {{because}}",
        },
        {
          query: rate("dispatch_worker_refused_decisions_total", PODS, "because"),
          legend: "refused: {{because}}",
        },
      ],
    },
    {
      title: "Cities apart",
      description:
        "Stood in for: their own dispatcher failed. Isolated: their dispatch did harm and runs in a process of its own.",
      kind: "timeseries",
      unit: "none",
      queries: [
        { query: `sum by (pod) (dispatch_worker_stand_in_cities{${PODS}})`, legend: "stood in for, {{pod}}" },
        { query: `sum by (pod) (dispatch_worker_isolated_cities{${PODS}})`, legend: "isolated, {{pod}}" },
      ],
    },
  ],
};

const life: Row = {
  title: "Process",
  panels: [
    {
      title: "Age of the last heartbeat",
      description: "Ticking goes on without; a worker whose cities commit is not given up.",
      kind: "timeseries",
      unit: "s",
      queries: [
        { query: `max by (pod) (dispatch_worker_heartbeat_age_seconds{${PODS}})`, legend: "{{pod}}" },
      ],
    },
    {
      title: "Heartbeats and API requests",
      description: "Heartbeats by outcome, and what failed.",
      kind: "timeseries",
      unit: "ops",
      queries: [
        { query: rate("dispatch_worker_heartbeats_total", PODS, "outcome"), legend: "heartbeat {{outcome}}" },
        {
          query: rate("dispatch_worker_api_failures_total", PODS, "because"),
          legend: "request failed: {{because}}",
        },
      ],
    },
    {
      title: "API requests, 99 %",
      description: "Time of a request to the Kubernetes API server.",
      kind: "timeseries",
      unit: "s",
      queries: [{ query: quantile(0.99, "dispatch_worker_api_duration_seconds", PODS, ""), legend: "99 %" }],
    },
    {
      title: "CPU",
      description: "Cores in use, all threads together.",
      kind: "timeseries",
      unit: "short",
      queries: [{ query: rate("process_cpu_seconds_total", PODS, "pod"), legend: "{{pod}}" }],
    },
    {
      title: "Memory",
      description: "Resident.",
      kind: "timeseries",
      unit: "bytes",
      queries: [{ query: `sum by (pod) (process_resident_memory_bytes{${PODS}})`, legend: "{{pod}}" }],
    },
    {
      title: "Delay of the event loop, 99 %",
      description: "Heartbeats and the starts of ticks wait for it.",
      kind: "timeseries",
      unit: "s",
      queries: [{ query: `max by (pod) (nodejs_eventloop_lag_p99_seconds{${PODS}})`, legend: "{{pod}}" }],
    },
  ],
};

export const worker: Dashboard = {
  uid: "city-operator-worker",
  title: "City operator / Worker",
  description: "Rate, errors and duration of ticks, and what the processes need.",
  variables: [
    {
      name: "pod",
      values: 'label_values(dispatch_worker_cities{namespace="$namespace"}, pod)',
      isMulti: true,
    },
  ],
  rows: [ticks, dispatch, life],
};
