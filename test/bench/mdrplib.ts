import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readMdrpDay } from "../../local/traffic/mdrplib.ts";
import { DEFAULT_PARAMETERS } from "../../worker/dispatch/default-parameters.ts";
import { playDay, type PlayedDay } from "../support/mdrp-player.ts";

/**
 * Plays recorded city-days of the MDRPLib through the dispatcher and prints its quality of service beside published
 * figures (minutes, means over days). `DATA` is the folder that holds one folder per instance; arguments are beginnings of
 * instance names to play.
 */

const MINUTE_MS = 60_000;
const PARAMETERS = {
  ...DEFAULT_PARAMETERS,
  periodMs: MINUTE_MS,
  horizonMs: 20 * MINUTE_MS,
  courierFreeWithinMs: 10 * MINUTE_MS,
  pickupTravelMaxMs: 60 * MINUTE_MS,
};

type Figures = {
  readonly undeliveredPercent: number;
  readonly clickToDoorMinutes: number;
  readonly readyToPickupMinutes: number;
};

function figuresOf(day: PlayedDay): Figures {
  const { delivered, undelivered } = day;
  return {
    undeliveredPercent: (100 * undelivered.length) / (delivered.length + undelivered.length),
    clickToDoorMinutes: mean(delivered.map((played) => played.dropoffAtMinute - played.order.placedAtMinute)),
    readyToPickupMinutes: mean(delivered.map((played) => played.pickupAtMinute - played.order.readyAtMinute)),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

function row(name: string, figures: Figures, rest = ""): string {
  const { undeliveredPercent, clickToDoorMinutes, readyToPickupMinutes } = figures;
  const cells = [undeliveredPercent, clickToDoorMinutes, readyToPickupMinutes].map((value) =>
    value.toFixed(2).padStart(14),
  );
  return `${name.padEnd(28)}${cells.join("")}  ${rest}\n`;
}

async function main(): Promise<void> {
  const data = process.env["DATA"];
  const prefixes = process.argv.slice(2);
  const names = data === undefined ? [] : await readdir(data).catch(() => []);
  const instances = names
    .filter((name) => prefixes.length === 0 || prefixes.some((prefix) => name.startsWith(prefix)))
    .sort();
  if (data === undefined || instances.length === 0) {
    process.stdout.write("skipped: set DATA to a folder that holds MDRPLib instances, one folder each\n");
    return;
  }
  process.stdout.write(`${"instance".padEnd(28)} undelivered %  click-to-door  ready-to-pickup\n`);
  const days: Figures[] = [];
  let refused = 0;
  for (const instance of instances) {
    const startedAtMs = performance.now();
    const played = playDay(await readMdrpDay(join(data, instance)), PARAMETERS);
    const figures = figuresOf(played);
    days.push(figures);
    refused += played.refused;
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
    process.stdout.write(row(instance, figures, `${played.declined} declined, ${seconds} s`));
  }
  process.stdout.write(
    row(`mean of ${days.length} days`, {
      undeliveredPercent: mean(days.map((day) => day.undeliveredPercent)),
      clickToDoorMinutes: mean(days.map((day) => day.clickToDoorMinutes)),
      readyToPickupMinutes: mean(days.map((day) => day.readyToPickupMinutes)),
    }),
  );
  process.stdout.write(row("rolling horizon (published)", published(0.25, 32.74, 1.93), "240 days"));
  process.stdout.write(row("greedy nearest (published)", published(3.3, 47.08, 16.67), "240 days"));
  if (refused > 0) {
    process.stdout.write(`the validator refused ${refused} decisions\n`);
    process.exitCode = 1;
  }
}

function published(
  undeliveredPercent: number,
  clickToDoorMinutes: number,
  readyToPickupMinutes: number,
): Figures {
  return { undeliveredPercent, clickToDoorMinutes, readyToPickupMinutes };
}

await main();
