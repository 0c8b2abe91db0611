import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { withDeadline } from "../../../runtime/abort.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { until } from "../../support/until.ts";
import { readEnd, type CityEnd } from "./end-state.ts";
import type { Perturb, Write } from "./life.ts";
import {
  expireLeadership,
  startOperator,
  type RunningOperator,
  type RunningWorker,
  type Surroundings,
} from "./processes.ts";
import { runScenario, SCENARIO_CITIES } from "./scenario.ts";
import { WriteRules } from "./write-rules.ts";

/**
 * One run of the scenario in a namespace of its own, in which the operator is killed at its k-th write and another one
 * takes its place (Sieve's intermediate states, with the moment of the crash moved through every write).
 */

/** When the operator dies: before its write goes out, after it saw the answer, or with the request still on its way. */
export type Moment = "before" | "after" | "in-flight";
export type Perturbation = {
  /** Writes of the status and all others are counted apart: how many of the first there are differs from run to run. */
  readonly counted: "decisive" | "status";
  /** From 1. */
  readonly index: number;
  readonly moment: Moment;
};

export type RunResult = {
  readonly end: Readonly<Record<string, CityEnd>>;
  /** Decisive writes of the first operator, in order: "replace leases/deleted". */
  readonly writes: readonly string[];
  readonly statusWrites: number;
  /** Sentences. */
  readonly violations: readonly string[];
  /** The write at which the operator was killed, if it came to that. */
  readonly killedAt: string | undefined;
};

/** A request that is on its way arrives when the successor has begun its work. */
const IN_FLIGHT_MS = 600;
const REST_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 10_000;

export async function runPerturbed(
  world: Surroundings,
  input: {
    readonly prefix: string;
    readonly perturbation: Perturbation | undefined;
    /** What the run must come to; undefined for the run that defines it. */
    readonly expected: RunResult["end"] | undefined;
  },
): Promise<RunResult> {
  const { prefix, perturbation } = input;
  const rules = new WriteRules(world);
  const killer = new Killer(perturbation, (write) => shown(write, prefix));
  const nameOf = (city: string): string => `${prefix}${city}`;
  const operators: RunningOperator[] = [];
  const start = (perturb: Perturb): RunningOperator => {
    const operator = startOperator(world, { perturb });
    operators.push(operator);
    return operator;
  };
  const first = start(async (call, signal) => {
    await rules.check(call.write);
    return killer.perturb(call, signal);
  });
  const succession = succeed(first, world, () =>
    start(async ({ write, send }, signal) => {
      await rules.check(write);
      return send(signal);
    }),
  );
  let last: RunningWorker | undefined;
  try {
    // A mistake of an operator's own ends the run at once, with its words.
    last = await Promise.race([runScenario(world, nameOf), succession]);
    await killer.delivered();
    const end = await restingEnd(world, nameOf, input.expected);
    return {
      end,
      writes: killer.decisive,
      statusWrites: killer.statusWrites,
      violations: rules.violations,
      killedAt: killer.killedAt,
    };
  } finally {
    await last?.stop();
    for (const operator of operators) operator.life.end();
    await withDeadline(
      {
        clock: systemClock,
        what: "the end of the operators",
        limitMs: STOP_LIMIT_MS,
        signal: new AbortController().signal,
      },
      () => Promise.all(operators.map(({ ended }) => ended)),
    );
  }
}

/** Starts the successor of a killed operator. Never resolves: rejects with what ended an operator that was not killed. */
async function succeed(
  first: RunningOperator,
  world: Surroundings,
  startNext: () => RunningOperator,
): Promise<never> {
  await first.ended;
  await expireLeadership(world);
  await startNext().ended;
  return new Promise<never>(() => undefined);
}

class Killer {
  readonly decisive: string[] = [];
  statusWrites = 0;
  killedAt: string | undefined;
  readonly #perturbation: Perturbation | undefined;
  readonly #shown: (write: Write) => string;
  #onItsWay: Promise<unknown> = Promise.resolve();

  constructor(perturbation: Perturbation | undefined, shownAs: (write: Write) => string) {
    this.#perturbation = perturbation;
    this.#shown = shownAs;
  }

  readonly perturb: Perturb = async ({ write, send, life }, signal) => {
    if (!this.#isTheOne(write)) return send(signal);
    this.killedAt = this.#shown(write);
    const moment = this.#perturbation?.moment;
    if (moment === "after") {
      const answer = await send(signal);
      life.end();
      return answer;
    }
    if (moment === "in-flight") this.#onItsWay = deliverLate(send);
    life.end();
    return send(life.signal);
  };

  /** Resolves when the request that was on its way has arrived, whatever came of it. */
  async delivered(): Promise<void> {
    await this.#onItsWay;
  }

  #isTheOne(write: Write): boolean {
    if (write.isStatus) this.statusWrites += 1;
    else this.decisive.push(this.#shown(write));
    if (this.killedAt !== undefined) return false;
    const { counted, index } = this.#perturbation ?? {};
    return counted === (write.isStatus ? "status" : "decisive")
      ? index === (write.isStatus ? this.statusWrites : this.decisive.length)
      : false;
  }
}

/** The network still has the request; a refusal is as good an end as any. */
async function deliverLate(send: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  await sleep(IN_FLIGHT_MS);
  await send(AbortSignal.timeout(STOP_LIMIT_MS)).catch(() => undefined);
}

function shown({ kind, of, name }: Write, prefix: string): string {
  return `${kind} ${of}/${name.replace(prefix, "")}`;
}

/**
 * The end state, once it is as expected, or, of a run from which nothing is known to be expected, once nobody claims any more;
 * what it is instead when it does not become so in time.
 */
async function restingEnd(
  world: Surroundings,
  nameOf: (city: string) => string,
  expected: RunResult["end"] | undefined,
): Promise<RunResult["end"]> {
  const read = async (): Promise<RunResult["end"]> =>
    Object.fromEntries(
      await Promise.all(
        SCENARIO_CITIES.map(async (city) => [city, await readEnd(world, nameOf(city), city)] as const),
      ),
    );
  let end = await read();
  await until(async () => {
    end = await read();
    return expected === undefined
      ? Object.values(end).every(({ fence }) => fence !== "another")
      : isDeepStrictEqual(end, expected);
  }, AbortSignal.timeout(REST_LIMIT_MS)).catch(() => undefined);
  return end;
}
