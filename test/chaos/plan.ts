import { choose, exponential, randomStream, uniform, type Random } from "../../local/traffic/random.ts";
import type { LinkFault } from "../support/faulty-link.ts";

/** One thing that goes wrong, or that a person does. Processes are named by their place, such as "worker-2". */
export type Fault =
  | {
      readonly kind: "link";
      readonly process: string;
      readonly server: "api" | "mysql";
      readonly fault: LinkFault;
    }
  /** SIGKILL; afterwards another process of the same Pod, or of a new one. */
  | { readonly kind: "kill"; readonly process: string; readonly comesBackAs: "same-pod" | "new-pod" }
  /** SIGSTOP, then SIGCONT. */
  | { readonly kind: "freeze"; readonly process: string }
  /** SIGTERM, while its successor starts. */
  | { readonly kind: "drain"; readonly process: string }
  | { readonly kind: "api-server-kill" }
  | { readonly kind: "mysql-kill" }
  | { readonly kind: "mysql-freeze" }
  | CityFault;

/** `commitInFlight`: a commit of the city is under way meanwhile, and arrives when silence has been promised. */
type CityFault = {
  readonly kind: "suspend" | "delete";
  readonly city: string;
  readonly commitInFlight: boolean;
};

/** Times in milliseconds since the beginning; all is over at atMs + durationMs. */
export type PlannedFault = Fault & { readonly atMs: number; readonly durationMs: number };

export type PlanInput = {
  readonly seed: number;
  readonly durationMs: number;
  readonly workers: readonly string[];
  readonly operators: readonly string[];
  /** Those that people suspend and delete. */
  readonly cities: readonly string[];
};

const MEAN_INTERVAL_MS = 1_200;
/** What is struck has so long to itself before it is struck again. */
const PAUSE_MS = 1_500;

type Recipe = {
  /** Relative frequency. */
  readonly weight: number;
  readonly durationMs: { readonly min: number; readonly max: number };
  make(random: Random, input: PlanInput): Fault;
};

const RECIPES: readonly Recipe[] = [
  // Longer than a takeover takes, or shorter: what is held, lost or frozen must meet its successor often.
  { weight: 9, durationMs: { min: 1_000, max: 9_000 }, make: makeLinkFault },
  {
    weight: 3,
    durationMs: { min: 300, max: 4_000 },
    make: (random, input) => ({
      kind: "kill",
      process: anyProcess(random, input),
      comesBackAs: random() < 0.5 ? "same-pod" : "new-pod",
    }),
  },
  {
    weight: 3,
    durationMs: { min: 1_000, max: 12_000 },
    make: (random, input) => ({ kind: "freeze", process: anyProcess(random, input) }),
  },
  {
    weight: 2,
    durationMs: { min: 1_000, max: 3_000 },
    make: (random, { workers }) => ({ kind: "drain", process: one(random, workers) }),
  },
  { weight: 0.4, durationMs: { min: 500, max: 8_000 }, make: () => ({ kind: "api-server-kill" }) },
  { weight: 0.4, durationMs: { min: 500, max: 4_000 }, make: () => ({ kind: "mysql-kill" }) },
  { weight: 0.5, durationMs: { min: 1_000, max: 6_000 }, make: () => ({ kind: "mysql-freeze" }) },
  {
    weight: 6,
    durationMs: { min: 2_000, max: 5_000 },
    make: (random, { cities }) => ({
      kind: random() < 0.7 ? "suspend" : "delete",
      city: one(random, cities),
      commitInFlight: random() < 0.6,
    }),
  },
];

const LINK_FAULTS: readonly ((random: Random) => LinkFault)[] = [
  () => ({ kind: "cut" }),
  () => ({ kind: "swallow" }),
  (random) => ({ kind: "delay", ms: Math.round(uniform(random, { min: 20, max: 1_200 })) }),
  () => ({ kind: "late" }),
  () => ({ kind: "lose-answers" }),
];

/** Pure: the same seed makes the same plan, in the order of time. Nothing is struck twice at once. */
export function planFaults(input: PlanInput): readonly PlannedFault[] {
  const random = randomStream(input.seed, "chaos");
  const plan: PlannedFault[] = [];
  const busyUntilMs = new Map<string, number>();
  for (let atMs = 0; ;) {
    atMs += Math.round(exponential(random, MEAN_INTERVAL_MS));
    const recipe = weighted(random, RECIPES);
    const fault = recipe.make(random, input);
    const durationMs = Math.round(uniform(random, recipe.durationMs));
    if (atMs >= input.durationMs) return plan;
    const target = targetOf(fault);
    if (atMs < (busyUntilMs.get(target) ?? 0) || atMs + durationMs > input.durationMs) continue;
    busyUntilMs.set(target, atMs + durationMs + PAUSE_MS);
    plan.push({ ...fault, atMs, durationMs });
  }
}

/** What the summary counts it under. */
export function labelOf(fault: Fault): string {
  if (fault.kind === "link") return `${fault.server} ${fault.fault.kind}`;
  if ("city" in fault) return fault.commitInFlight ? `${fault.kind} with a late commit` : fault.kind;
  if ("process" in fault) return `${fault.process.replace(/-[0-9]+$/, "")} ${fault.kind}`;
  return fault.kind;
}

/** What cannot suffer two faults at once. */
export function targetOf(fault: Fault): string {
  switch (fault.kind) {
    case "link":
      return `${fault.process} ${fault.server}`;
    case "kill":
    case "freeze":
    case "drain":
      return fault.process;
    case "api-server-kill":
      return "api-server";
    case "mysql-kill":
    case "mysql-freeze":
      return "mysql";
    case "suspend":
    case "delete":
      return fault.city;
    default:
      return fault satisfies never;
  }
}

function makeLinkFault(random: Random, input: PlanInput): Fault {
  const process = anyProcess(random, input);
  const server = random() < 0.35 ? "api" : "mysql";
  const fault = one(random, LINK_FAULTS)(random);
  // What matters most when it is late is a commit.
  const isCommitHeld = fault.kind === "late" && server === "mysql" && input.workers.includes(process);
  return { kind: "link", process, server, fault: isCommitHeld ? { ...fault, from: "commit_tick" } : fault };
}

function anyProcess(random: Random, { workers, operators }: PlanInput): string {
  // Workers are where commits come from.
  return one(random, random() < 0.85 ? workers : operators);
}

function weighted(random: Random, recipes: readonly Recipe[]): Recipe {
  let left = random() * recipes.reduce((sum, { weight }) => sum + weight, 0);
  return recipes.find(({ weight }) => (left -= weight) < 0) ?? recipes[0]!;
}

function one<Choice>(random: Random, choices: readonly Choice[]): Choice {
  const chosen = choose(random, choices);
  if (chosen === undefined) throw new RangeError("nothing to choose from");
  return chosen;
}
