import { setTimeout as sleep } from "node:timers/promises";
import type { CitySpec } from "../../../crds/city.ts";
import { randomStream, type Random } from "../../../local/traffic/random.ts";
import { isOperational } from "../../../runtime/errors.ts";
import { happensWithin } from "../../support/until.ts";
import { expireLeadership, startOperator, type RunningOperator, type Surroundings } from "./processes.ts";
import { nested, type Field } from "./schema-values.ts";
import { createUser } from "./user.ts";

/** A random life of one City: what people do to it, faster than the operator can follow, and now and then without one. */

const STEPS = 14;
/** Half the steps follow at once; the others give the operator some time, so that it is met in every state. */
const PAUSE_MAX_MS = 400;
const GONE_LIMIT_MS = 20_000;
/** What a rehearsal of seconds needs: ticks that come soon, patience with a busy machine, and pools that have a worker. */
const PERIODS = ["200ms", "250ms", "300ms", "500ms"];
const POOLS = ["default", "big"];
const STALL_AFTER_TICKS = 100;

export type HistoryResult = {
  /** What the API server has in the end, with every default; undefined: deleted. */
  readonly spec: CitySpec | undefined;
  /** One line per step, to read beside a failure. */
  readonly story: readonly string[];
  readonly complaints: readonly string[];
};

type Step = "edit" | "suspend" | "resume" | "delete" | "wrong-edit" | "kill-operator";

/** Plays the history of `seed` on the City `name`. The operator that runs at the end is left in `operators`. */
export async function playHistory(
  world: Surroundings,
  input: {
    readonly seed: number;
    readonly name: string;
    readonly fields: readonly Field[];
    readonly operators: RunningOperator[];
  },
): Promise<HistoryResult> {
  const { name, fields, operators } = input;
  const random = randomStream(input.seed, "history");
  const user = createUser(world);
  const story: string[] = [];
  const complaints: string[] = [];

  const wrongEdit = async (): Promise<void> => {
    const field = pick(fields, random);
    const value = pick(field.invalid, random);
    const what = `${field.path.join(".")} = ${JSON.stringify(value)}`;
    const before = (await user.city(name))?.spec;
    // With a valid change beside it: a refusal must be of the whole.
    const patch = { stallAfterTicks: STALL_AFTER_TICKS - 1, ...nested(field.path, value) };
    const answer = await user.edit(name, patch).catch((error: unknown) => error);
    if (!isOperational(answer, "kube-invalid")) complaints.push(`${what} was not refused`);
    else if (!answer.message.includes(field.path.at(-1) ?? "")) complaints.push(`${what}: ${answer.message}`);
    const after = (await user.city(name))?.spec;
    if (JSON.stringify(after) !== JSON.stringify(before)) complaints.push(`${what} was applied by half`);
    story.push(`refused ${what}`);
  };

  const run: Readonly<Record<Step, () => Promise<void>>> = {
    edit: async () => {
      const patch = validChange(fields, random);
      story.push(`edit ${JSON.stringify(patch)}`);
      await user.edit(name, patch);
    },
    suspend: async () => {
      story.push("suspend");
      await user.edit(name, { suspend: true });
    },
    resume: async () => {
      story.push("resume");
      await user.edit(name, { suspend: false });
    },
    delete: async () => {
      story.push("delete");
      await user.remove(name);
      await happensWithin(
        GONE_LIMIT_MS,
        `the deletion of ${name}`,
        async () => (await user.city(name)) === undefined,
      );
    },
    "wrong-edit": wrongEdit,
    "kill-operator": async () => {
      story.push("operator killed");
      const last = operators.at(-1);
      last?.life.end();
      await last?.ended;
      await expireLeadership(world);
      operators.push(startOperator(world));
    },
  };
  for (let count = 0; count < STEPS; count += 1) {
    if ((await user.city(name)) === undefined) {
      const spec = { period: pick(PERIODS, random), stallAfterTicks: STALL_AFTER_TICKS };
      story.push(`create ${JSON.stringify(spec)}`);
      await user.create(name, spec);
    } else await run[nextStep(random)]();
    if (random() < 0.5) await sleep(random() * PAUSE_MAX_MS);
  }
  return { spec: (await user.city(name))?.spec, story, complaints };
}

function nextStep(random: Random): Step {
  const chance = random();
  if (chance < 0.35) return "edit";
  if (chance < 0.55) return "suspend";
  if (chance < 0.7) return "resume";
  if (chance < 0.78) return "delete";
  return chance < 0.92 ? "wrong-edit" : "kill-operator";
}

/** One to three fields at once, some of them back to their default. */
function validChange(fields: readonly Field[], random: Random): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  const count = 1 + Math.floor(random() * 3);
  for (let index = 0; index < count; index += 1) {
    const { path, valid } = pick(fields, random);
    const [top = ""] = path;
    const isRequired = top === "period" || top === "stallAfterTicks";
    const value = !isRequired && random() < 0.2 ? null : (rehearsable(top, random) ?? valid(random));
    const change = nested(path, value);
    const inner = change[top];
    const isObject = typeof inner === "object" && inner !== null;
    patch[top] = isObject ? { ...(patch[top] as object | undefined), ...inner } : inner;
  }
  return patch;
}

function rehearsable(field: string, random: Random): unknown {
  if (field === "period") return pick(PERIODS, random);
  if (field === "workerPool") return pick(POOLS, random);
  return field === "stallAfterTicks" ? STALL_AFTER_TICKS : undefined;
}

function pick<Item>(items: readonly Item[], random: Random): Item {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new RangeError("nothing to pick from");
  return item;
}
