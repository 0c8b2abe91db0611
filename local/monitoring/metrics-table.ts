import { createOperatorMetrics } from "../../operator/metrics.ts";
import { createMetrics, type MetricDescription } from "../../runtime/metrics.ts";
import { createWorkerMetrics } from "../../worker/metrics.ts";

/** What the processes measure, from the code that declares it. */

/** Of each process, in the order of declaration. */
export function declaredMetrics(): Readonly<Record<"operator" | "worker", readonly MetricDescription[]>> {
  const operator = createMetrics();
  createOperatorMetrics(operator);
  const worker = createMetrics();
  createWorkerMetrics(worker);
  return { operator: operator.descriptions, worker: worker.descriptions };
}

/** The text of docs/metrics.md. */
export function metricsTable(): string {
  const { operator, worker } = declaredMetrics();
  return `# Metrics

Every process serves its metrics at \`/metrics\` of the port \`probes\`. The tables are made from the code by
\`make monitoring-docs\`; what to look at, and what to promise by it, is in [monitoring.md](monitoring.md).

Labels have the values that are listed, each from the start of the process with 0, so that a first event is a visible step. The
only open label is \`city\`: three series per City, on the leader, for at most 10,000 Cities. Workers have no series per City, for
there a series would end with every move; what a city does on its worker is told by the tick ledger (\`make explain\`) and the log.
A counter of a former leader stays where it was: sum the rates over all operators.

Beside these, every process has the metrics of Node.js under \`process_\` and \`nodejs_\` (CPU, memory, the event loop's delay).

## Operator

${tableOf(operator)}

## Worker

${tableOf(worker)}
`;
}

function tableOf(descriptions: readonly MetricDescription[]): string {
  const rows = descriptions.map(({ name, type, unit, label, help }) =>
    ["", `\`${name}\``, type, unit, labelOf(label), help, ""].join(" | ").trim(),
  );
  return ["| metric | type | unit | label | what it says |", "| --- | --- | --- | --- | --- |", ...rows].join(
    "\n",
  );
}

function labelOf(label: MetricDescription["label"]): string {
  if (label === undefined) return "";
  const values = label.values?.map((value) => `\`${value}\``).join(" ") ?? "one per City";
  return `\`${label.name}\`: ${values}`;
}
