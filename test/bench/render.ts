import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FleetRun } from "./fleet/report.ts";
import { sectionsOf, type Machine, type Results, type Section } from "./render/sections.ts";

/** `make bench-render`: what lies in out/bench → docs/benchmarks.md with its charts. */

const RESULTS = join("out", "bench");
const CHARTS = join("docs", "benchmarks");

async function read<Result>(name: string): Promise<(Result & Machine) | undefined> {
  const text = await readFile(join(RESULTS, `${name}.json`), "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Result & Machine);
}

async function readFleets(): Promise<readonly (FleetRun & Machine)[]> {
  const names = (await readdir(RESULTS)).filter((name) => /^fleet-\d+\.json$/.test(name));
  const runs = await Promise.all(names.map(async (name) => read<FleetRun>(name.replace(".json", ""))));
  return runs
    .filter((run) => run !== undefined)
    .toSorted((left, right) => left.settings.cities - right.settings.cities);
}

function textOf(section: Section): string {
  const { title, command, text, charts } = section;
  const pictures = Object.keys(charts).map((name) => `![${name}](benchmarks/${name}.svg)`);
  return [`## ${title}`, `    ${command}`, text ?? "Not measured in this run.", ...pictures].join("\n\n");
}

const HEAD = `# Benchmarks

Written by \`make bench\`; do not edit. It runs every benchmark (each has its own command), and draws what they left in \`out/bench\`:
one JSON each, with the machine, the versions, the seeds and all samples. How each one measures:

* **fleet**: a real API server with etcd, a real MySQL with durable commits and one operator process, all on one machine. Workers are
  identities: the product's worker, with heartbeats and watches of its own, many in one process, which share connections to MySQL
  and dispatch threads. Cities have no orders: what is measured is everything but the dispatch. Requests are those that the API
  server counts in its own metrics; processor time and memory come from /proc; ticks, moves and missed slots from the ledgers. Lost
  workers are processes killed by SIGKILL with no Pod to tell, so that only their silence shows it: three heartbeats.
* **round**: an API server in memory, and processor time, so that a busy machine does not show.
* **elections**: two processes of client-go's leader election without a client-side rate limit, one Lease per city. The one that
  leads is killed, released (SIGTERM), and frozen for longer than its lease.
* **placement**: in memory, the product's \`placeCities\` as the operator asks it; weights from 1 to 20. Rendezvous hashing does
  not look at weights or loads. The ring has 100 points per worker and lets nobody carry more than 1.25 of the mean.
* **worker**: as in the fleet, with one worker. "Saturated": each dispatch thread is given one city of 1,000 orders and 1,000
  couriers after the other, beside the ticks.
* **reflector**: a real API server; the product's reflector and client-node's informer, each in a process of its own, behind a
  proxy that resets every connection once.
* **commit**, **dispatch**: see [fenced-commit.md](fenced-commit.md) and [dispatch.md](dispatch.md).

Where these figures lead is in [scaling.md](scaling.md).`;

async function main(): Promise<void> {
  const fleets = await readFleets();
  const results: Results & { readonly [name: string]: unknown } = {
    fleets,
    elections: await read("elections"),
    placement: await read("placement"),
    round: await read("round"),
    worker: await read("worker"),
    reflector: await read("reflector"),
    commit: await read("commit"),
    dispatch: await read("dispatch"),
  };
  const any = Object.values(results)
    .flat()
    .find((result) => result !== undefined) as Machine | undefined;
  if (any === undefined) throw new Error(`there are no results in ${RESULTS}: run make bench`);
  const sections = sectionsOf(results);
  await rm(CHARTS, { recursive: true, force: true });
  await mkdir(CHARTS, { recursive: true });
  for (const { charts } of sections) {
    for (const [name, svg] of Object.entries(charts)) await writeFile(join(CHARTS, `${name}.svg`), svg);
  }
  const { machine, node } = any;
  const where = `Measured on: ${machine.cpu}, ${machine.cores} cores, ${Math.round(machine.memoryBytes / 2 ** 30)} GiB, Node ${node}.`;
  await writeFile(join("docs", "benchmarks.md"), `${[HEAD, where, ...sections.map(textOf)].join("\n\n")}\n`);
  process.stdout.write("docs/benchmarks.md\n");
}

await main();
