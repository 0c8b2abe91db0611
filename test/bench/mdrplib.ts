import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { dispatch } from "../../worker/dispatch/dispatch.ts";
import { dispatchGreedily } from "../../worker/dispatch/greedy.ts";
import type { Dispatcher } from "../../worker/dispatch/model.ts";
import { UNDISTURBED, type Disturbance } from "./mdrplib/disturb.ts";
import { meanOf, type Figures } from "./mdrplib/figures.ts";
import { heading, line, summary } from "./mdrplib/groups.ts";
import { playInstance } from "./mdrplib/play.ts";

/**
 * Plays city-days of the MDRPLib through a dispatcher and prints its quality of service beside published figures (minutes,
 * means over days). Ends with 1 when a day breaks a rule of the library.
 *
 * `DATA` is the folder that holds one folder per instance, `OUT` takes the solutions. `DISPATCHER=greedy` plays the
 * mitigation, `unbundled` gives every courier one order at a time. `NOISE=1` plays each day also with late meals, with couriers
 * who decline, with cancellations, and with too few couriers, through all three. Arguments are beginnings of instance names.
 */

const DISPATCHERS: Readonly<Record<string, Dispatcher>> = {
  optimal: dispatch,
  unbundled: (snapshot, parameters, deadline) =>
    dispatch(snapshot, { ...parameters, bundleOrdersMax: 1 }, deadline),
  greedy: dispatchGreedily,
};
const SEED = 1;
const DISTURBANCES: Readonly<Record<string, Disturbance>> = {
  "as recorded": UNDISTURBED,
  "meals early or late, sigma 8 min": { ...UNDISTURBED, seed: SEED, noiseMinutes: 8 },
  "couriers take on 85 %": { ...UNDISTURBED, seed: SEED, acceptance: 0.85 },
  "5 % of orders cancelled": { ...UNDISTURBED, seed: SEED, cancelled: 0.05 },
  "every fourth courier absent": { ...UNDISTURBED, absentOneIn: 4 },
};

async function main(): Promise<void> {
  const data = process.env["DATA"] ?? "";
  const prefixes = process.argv.slice(2);
  const names = data === "" ? [] : await readdir(data).catch(() => []);
  const instances = names
    .filter((name) => prefixes.length === 0 || prefixes.some((prefix) => name.startsWith(prefix)))
    .sort();
  if (instances.length === 0) {
    process.stdout.write("skipped: set DATA to a folder that holds MDRPLib instances, one folder each\n");
    return;
  }
  const chosen = process.env["DISPATCHER"] || "optimal";
  if (DISPATCHERS[chosen] === undefined) {
    throw new RangeError(`there is no dispatcher ${chosen}: ${Object.keys(DISPATCHERS).join(", ")}`);
  }
  const folders = instances.map((name) => ({ name, folder: join(data, name) }));
  if (process.env["NOISE"]) await playDisturbed(folders);
  else process.stdout.write(summary(await playAll(folders, chosen, UNDISTURBED, process.env["OUT"], true)));
}

type Folders = readonly { readonly name: string; readonly folder: string }[];

async function playAll(
  folders: Folders,
  dispatcher: string,
  disturbance: Disturbance,
  out: string | undefined,
  isTold: boolean,
): Promise<ReadonlyMap<string, Figures>> {
  if (isTold) process.stdout.write(heading());
  const days = new Map<string, Figures>();
  for (const { name, folder } of folders) {
    const { figures, wrong } = await playInstance({
      instance: folder,
      dispatcher: DISPATCHERS[dispatcher] ?? dispatch,
      disturbance,
      out: out === undefined || out === "" ? undefined : join(out, name),
    });
    days.set(name, figures);
    if (isTold) process.stdout.write(line(name, figures));
    for (const sentence of wrong.slice(0, 5)) process.stdout.write(`  breaks a rule: ${sentence}\n`);
    if (wrong.length > 0) process.exitCode = 1;
  }
  return days;
}

/** Each disturbance by itself, and how much of the service it costs either dispatcher. */
async function playDisturbed(folders: Folders): Promise<void> {
  for (const [what, disturbance] of Object.entries(DISTURBANCES)) {
    process.stdout.write(`${what}\n${heading()}`);
    for (const dispatcher of Object.keys(DISPATCHERS)) {
      const days = await playAll(folders, dispatcher, disturbance, undefined, false);
      process.stdout.write(line(`  ${dispatcher}, ${days.size} days`, meanOf([...days.values()])));
    }
  }
}

await main();
