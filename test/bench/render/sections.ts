import { formatTable as commitTable, type Measured as CommitRow } from "../commit/report.ts";
import { formatTable as dispatchTable, type Measured as DispatchRow } from "../dispatch/report.ts";
import { formatTable as electionTable, leaseWritesPerSecond, type ElectionRun } from "../elections/report.ts";
import { formatRun, writesPerSecond, type FleetRun } from "../fleet/report.ts";
import { quantile } from "../gaps/measure.ts";
import type { Row as PlacementRow } from "../placement/measure.ts";
import { formatTable as placementTable } from "../placement/report.ts";
import { formatTable as reflectorTable, type ReflectorRun } from "../reflector/report.ts";
import { formatTable as roundTable, type RoundRow } from "../round/report.ts";
import { formatTable as workerTable, type WorkerRun } from "../worker/report.ts";
import { barChart, distributionChart } from "./chart.ts";

/** What every benchmark writes beside its own results. */
export type Machine = {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly memoryBytes: number };
  readonly node: string;
};

/** All results that are there. */
export type Results = {
  readonly fleets: readonly FleetRun[];
  readonly elections: { readonly rows: readonly ElectionRun[] } | undefined;
  readonly placement: { readonly seed: number; readonly rows: readonly PlacementRow[] } | undefined;
  readonly round: { readonly periodSeconds: number; readonly rows: readonly RoundRow[] } | undefined;
  readonly worker: WorkerRun | undefined;
  readonly reflector: ReflectorRun | undefined;
  readonly commit: { readonly rows: readonly CommitRow[] } | undefined;
  readonly dispatch: { readonly rows: readonly DispatchRow[] } | undefined;
};

export type Section = {
  readonly title: string;
  readonly command: string;
  /** Markdown; a line of its own per chart, by its name. Undefined: not measured. */
  readonly text: string | undefined;
  readonly charts: Readonly<Record<string, string>>;
};

export function sectionsOf(results: Results): readonly Section[] {
  return [
    fleetSection(results),
    plainSection(
      "A round of the operator",
      "make bench-round",
      results.round && roundTable(results.round.rows, results.round.periodSeconds),
    ),
    electionSection(results),
    placementSection(results),
    plainSection("One worker", "make bench-worker", results.worker && workerTable(results.worker)),
    plainSection("Reflector", "make bench-reflector", results.reflector && reflectorTable(results.reflector)),
    plainSection("What the fence costs a commit", "make bench-commit", commitText(results)),
    plainSection(
      "Dispatching",
      "make bench-dispatch",
      results.dispatch && dispatchTable(results.dispatch.rows),
    ),
  ];
}

function fleetSection({ fleets, elections }: Results): Section {
  const title = "A fleet on real servers";
  const command = "make bench-fleet CITIES=… WORKERS=…";
  if (fleets.length === 0) return { title, command, text: undefined, charts: {} };
  const peers = elections?.rows ?? [];
  const categories = fleets.map(({ settings }) => `${settings.cities.toLocaleString("en")} cities`);
  const charts = {
    "api-writes": barChart({
      title: "Writes to the API server, steady",
      axis: "per second",
      isLogarithmic: true,
      categories: [
        ...categories,
        ...peers.map(({ timing, cities }) => `client-go ${timing},\n${cities} cities`),
      ],
      series: [
        {
          name: "writes",
          values: [
            ...fleets.map(({ steady }) => writesPerSecond(steady)),
            ...peers.map(leaseWritesPerSecond),
          ],
        },
      ],
    }),
    operator: barChart({
      title: "The operator while nothing changes",
      axis: "% of a core, MiB",
      categories,
      series: [
        {
          name: "% of a core",
          values: fleets.map(({ steady }) => (steady.processes["operator"]?.cores ?? 0) * 100),
        },
        {
          name: "MiB resident",
          values: fleets.map(({ steady }) => (steady.processes["operator"]?.residentBytes ?? 0) / 1_048_576),
        },
      ],
    }),
    lateness: distributionChart({
      title: "From the scheduled start of a slot to the start of its tick",
      axis: "ms",
      series: fleets.map(({ settings, steady }) => ({
        name: `${settings.cities.toLocaleString("en")} cities, every ${settings.periodMs / 1_000} s`,
        sorted: steady.latenessMs,
      })),
    }),
  };
  return { title, command, charts, text: fleets.map(formatRun).join("\n\n") };
}

function electionSection({ fleets, elections }: Results): Section {
  const title = "What people would otherwise use: an election per city";
  const command = "make bench-elections";
  if (elections === undefined) return { title, command, text: undefined, charts: {} };
  const losses = fleets.flatMap(({ settings, losses: ofFleet }) =>
    ofFleet.map((loss) => ({
      name: `City operator,\n${loss.workers} of ${settings.workers} workers`,
      seconds: quantile(loss.claimedMs, 1) / 1_000,
    })),
  );
  const killed = elections.rows.map(({ timing, killedMs }) => ({
    name: `client-go\n${timing}`,
    seconds: quantile(killedMs, 1) / 1_000,
  }));
  const bars = [...losses, ...killed];
  const chart = barChart({
    title: "From a silent death to the last city's next holder",
    axis: "seconds",
    categories: bars.map(({ name }) => name),
    series: [{ name: "seconds", values: bars.map(({ seconds }) => seconds) }],
  });
  return { title, command, text: electionTable(elections.rows), charts: { takeover: chart } };
}

function placementSection({ placement }: Results): Section {
  const title = "Placement";
  const command = "make bench-placement";
  if (placement === undefined) return { title, command, text: undefined, charts: {} };
  const { rows } = placement;
  const sizes = [
    ...new Set(
      rows.map(({ cities, workers }) => `${cities.toLocaleString("en")} × ${workers.toLocaleString("en")}`),
    ),
  ];
  const series = [...Map.groupBy(rows, ({ placer }) => placer)];
  const chart = (title: string, axis: string, value: (row: PlacementRow) => number): string =>
    barChart({
      title,
      axis,
      categories: sizes,
      series: series.map(([name, ofPlacer]) => ({ name, values: ofPlacer.map(value) })),
    });
  return {
    title,
    command,
    text: placementTable(rows),
    charts: {
      imbalance: chart("What the most loaded worker carries", "÷ mean", ({ initial }) => initial.imbalance),
      moves: chart(
        "Moves that nothing made necessary, when one worker leaves",
        "cities",
        ({ leave }) => leave.moves - leave.movesMin,
      ),
    },
  };
}

function commitText({ commit }: Results): string | undefined {
  if (commit === undefined) return undefined;
  return commitTable(commit.rows, [...new Set(commit.rows.map(({ method }) => method))]);
}

function plainSection(title: string, command: string, text: string | undefined): Section {
  return { title, command, text, charts: {} };
}
