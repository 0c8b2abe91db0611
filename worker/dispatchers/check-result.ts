import type { CostParts, Decision, DispatchResult, Explanation } from "../dispatch/model.ts";

/**
 * What a company's dispatcher returned → a DispatchResult of plain values. Throws a TypeError that names the first thing that
 * is wrong. Only its form is judged here; whether a decision may be sent is for the validator to say.
 */
export function checkResult(answer: unknown): DispatchResult {
  const result = objectOf(answer, "the answer");
  const { degraded = false, gap } = result;
  if (typeof degraded !== "boolean") throw new TypeError("degraded is not a boolean");
  return {
    decisions: listOf(result["decisions"], "decisions").map(decisionOf),
    explanations: listOf(result["explanations"] ?? [], "explanations").map(explanationOf),
    degraded,
    gap: gap === undefined ? undefined : numberOf(gap, "gap"),
  };
}

function decisionOf(value: unknown, index: number): Decision {
  const where = `decisions[${index}]`;
  const { order, courier, stop, from } = objectOf(value, where);
  return {
    order: textOf(order, `${where}.order`),
    courier: textOf(courier, `${where}.courier`),
    stop: numberOf(stop, `${where}.stop`),
    from: from === undefined ? undefined : textOf(from, `${where}.from`),
  };
}

function explanationOf(value: unknown, index: number): Explanation {
  const where = `explanations[${index}]`;
  const explanation = objectOf(value, where);
  const text = (field: string): string => textOf(explanation[field], `${where}.${field}`);
  const number = (field: string): number => numberOf(explanation[field], `${where}.${field}`);
  const order = text("order");
  switch (explanation["kind"]) {
    case "assigned":
      return {
        order,
        kind: "assigned",
        courier: text("courier"),
        from: explanation["from"] === undefined ? undefined : text("from"),
        with: listOf(explanation["with"], `${where}.with`).map((other) => textOf(other, `${where}.with`)),
        cost: costOf(explanation["cost"], `${where}.cost`),
        runnerUp:
          explanation["runnerUp"] === undefined
            ? undefined
            : runnerUpOf(explanation["runnerUp"], `${where}.runnerUp`),
      };
    case "held":
      return {
        order,
        kind: "held",
        because: oneOf(["courier-busy", "time-left"], explanation["because"], `${where}.because`),
        courier: text("courier"),
        lookAgainAtMs: number("lookAgainAtMs"),
        cost: costOf(explanation["cost"], `${where}.cost`),
      };
    case "unassignable":
      return {
        order,
        kind: "unassignable",
        because: oneOf(["nobody-may", "outbid"], explanation["because"], `${where}.because`),
        refusals: countsOf(explanation["refusals"], `${where}.refusals`),
      };
    case "beyond-horizon":
      return { order, kind: "beyond-horizon", lookAtMs: number("lookAtMs") };
    case "kept":
      return { order, kind: "kept", courier: text("courier") };
    default:
      throw new TypeError(`${where}.kind is none of assigned, held, unassignable, beyond-horizon, kept`);
  }
}

function runnerUpOf(value: unknown, where: string): { readonly courier: string; readonly cost: CostParts } {
  const { courier, cost } = objectOf(value, where);
  return { courier: textOf(courier, `${where}.courier`), cost: costOf(cost, `${where}.cost`) };
}

function costOf(value: unknown, where: string): CostParts {
  const cost = objectOf(value, where);
  const part = (name: keyof CostParts): number => numberOf(cost[name], `${where}.${name}`);
  return {
    lateAtPickup: part("lateAtPickup"),
    lateAtDoor: part("lateAtDoor"),
    travel: part("travel"),
    waiting: part("waiting"),
    reassignment: part("reassignment"),
    age: part("age"),
  };
}

function countsOf(value: unknown, where: string): Readonly<Record<string, number>> {
  const entries = Object.entries(objectOf(value, where));
  return Object.fromEntries(entries.map(([name, count]) => [name, numberOf(count, `${where}.${name}`)]));
}

function objectOf(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (value instanceof Promise) throw new TypeError(`${where} is a promise: a dispatcher answers at once`);
  if (typeof value === "object" && value !== null) return value as Readonly<Record<string, unknown>>;
  throw new TypeError(`${where} is not an object`);
}

function listOf(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TypeError(`${where} is not an array`);
}

function textOf(value: unknown, where: string): string {
  if (typeof value === "string") return value;
  throw new TypeError(`${where} is not a string`);
}

function numberOf(value: unknown, where: string): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new TypeError(`${where} is not a finite number`);
}

function oneOf<Choice extends string>(choices: readonly Choice[], value: unknown, where: string): Choice {
  const choice = choices.find((candidate) => candidate === value);
  if (choice !== undefined) return choice;
  throw new TypeError(`${where} is none of ${choices.join(", ")}`);
}
