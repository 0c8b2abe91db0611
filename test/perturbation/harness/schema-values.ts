import { formatDuration, parseDuration } from "../../../crds/duration.ts";
import type { Random } from "../../../local/traffic/random.ts";

/**
 * Values for the fields of a CustomResourceDefinition, made from its schema alone: what it must accept, and what it must
 * refuse. A rule that is not understood is an error, so that a new rule in the schema brings a line here.
 */

export type Schema = {
  readonly type?: string;
  readonly format?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly maxProperties?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly "x-kubernetes-validations"?: readonly { readonly rule: string }[];
};

export type Field = {
  /** From the specification down: ["dispatch", "horizon"]. */
  readonly path: readonly string[];
  readonly valid: (random: Random) => unknown;
  /** One value per way of being wrong. */
  readonly invalid: readonly unknown[];
};

const DURATION_TEXT = /duration\(/;
const DURATION_MIN = /duration\(self\) >= duration\('([^']+)'\)/;
const DURATION_MAX = /duration\(self\)\s*<= duration\('([^']+)'\)/;
/** Of a map: what its rule says of every name. */
const NAMES = "self.all(kind, kind.matches('^[A-Za-z0-9][-_.A-Za-z0-9]{0,31}$'))";
const DNS_LABEL = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
const ZONES = ["Etc/UTC", "Europe/Madrid", "Asia/Kolkata", "America/Argentina/Buenos_Aires"];

/** Every leaf of the schema; an object that may be left out, but not in part, counts as one. */
export function fieldsOf(schema: Schema, path: readonly string[] = []): Field[] {
  if (schema.properties !== undefined) {
    if (path.length > 0 && schema.required !== undefined) return [wholeField(path, schema)];
    return Object.entries(schema.properties).flatMap(([name, property]) =>
      fieldsOf(property, [...path, name]),
    );
  }
  const [rule] = schema["x-kubernetes-validations"] ?? [];
  if (schema.type === "boolean") return [{ path, valid: (random) => random() < 0.5, invalid: ["yes", 1] }];
  if (schema.type === "integer") return [integerField(path, schema)];
  if (schema.additionalProperties !== undefined) return [mapField(path, schema)];
  if (schema.type === "string" && rule !== undefined) return [textField(path, schema, rule.rule)];
  if (schema.format === "date-time") return [timeField(path)];
  if (schema.type === "string" && schema.minLength === 1) return [anyTextField(path, schema)];
  throw new Error(`no values are known for the field ${path.join(".")} of the schema`);
}

/** Of its parts all are there, and one of them is wrong; or one is missing. */
function wholeField(path: readonly string[], schema: Schema): Field {
  const { properties = {}, required = [] } = schema;
  const parts = Object.entries(properties).map(([name, property]) => {
    const [part] = fieldsOf(property, [...path, name]);
    if (part === undefined || !required.includes(name))
      throw new Error(`no values are known for ${path.join(".")}, of which some parts may be left out`);
    return [name, part] as const;
  });
  const valid = (random: Random): Record<string, unknown> =>
    Object.fromEntries(parts.map(([name, part]) => [name, part.valid(random)]));
  const some = valid(() => 0.5);
  return {
    path,
    valid,
    invalid: [
      ...parts.flatMap(([name, { invalid }]) => invalid.map((value) => ({ ...some, [name]: value }))),
      ...parts.map(([left]) => Object.fromEntries(Object.entries(some).filter(([name]) => name !== left))),
      "whole",
    ],
  };
}

/** Long over or far ahead: nothing may depend on when the test runs. */
function timeField(path: readonly string[]): Field {
  return {
    path,
    valid: (random) => {
      const year = random() < 0.5 ? 2001 : 2101;
      return `${year}-0${1 + Math.floor(random() * 9)}-28T23:59:5${Math.floor(random() * 10)}Z`;
    },
    invalid: ["soon", "2101-07-01", "23:59:59", "2101-13-01T00:00:00Z", "", 7],
  };
}

function anyTextField(path: readonly string[], { maxLength = 0 }: Schema): Field {
  return {
    path,
    valid: (random) => `any-${Math.floor(random() * 100)}`,
    invalid: ["", 7, "x".repeat(maxLength + 1)],
  };
}

function integerField(path: readonly string[], { minimum, maximum }: Schema): Field {
  if (minimum === undefined || maximum === undefined) throw new Error(`${path.join(".")} has no bounds`);
  return {
    path,
    valid: (random) => minimum + Math.floor(random() * (maximum - minimum + 1)),
    invalid: [minimum - 1, maximum + 1, minimum + 0.5, String(minimum)],
  };
}

/** Always the same names: a map that is merged keeps those that it had. */
function mapField(path: readonly string[], schema: Schema): Field {
  const { additionalProperties, maxProperties, "x-kubernetes-validations": rules = [] } = schema;
  if (additionalProperties?.type === "string" && maxProperties !== undefined) {
    return textMapField(path, additionalProperties, maxProperties);
  }
  if (additionalProperties === undefined || maxProperties === undefined || rules[0]?.rule !== NAMES) {
    throw new Error(`no values are known for the map ${path.join(".")} of the schema`);
  }
  const { valid, invalid } = integerField(path, additionalProperties);
  const tooMany = Array.from({ length: maxProperties + 1 }, (_, index) => [`kind-${index}`, 1]);
  return {
    path,
    valid: (random) => ({ bicycle: valid(random), "E-Scooter_2.0": valid(random) }),
    invalid: [
      ...invalid.map((value) => ({ bicycle: value })),
      ...["", "-", "a b", "\u00e9", "x".repeat(33)].map((name) => ({ [name]: 1 })),
      Object.fromEntries(tooMany),
      ["bicycle"],
      250,
    ],
  };
}

/** Of texts without a rule but their length. */
function textMapField(path: readonly string[], { maxLength = 0 }: Schema, maxProperties: number): Field {
  const tooMany = Array.from({ length: maxProperties + 1 }, (_, index) => [`name-${index}`, "value"]);
  return {
    path,
    valid: (random) => ({ zone: `north ${Math.floor(random() * 100)}`, empty: "" }),
    invalid: [
      { zone: 1 },
      { zone: "x".repeat(maxLength + 1) },
      Object.fromEntries(tooMany),
      ["zone"],
      "zone",
    ],
  };
}

function textField(path: readonly string[], schema: Schema, rule: string): Field {
  const tooLong = "x".repeat((schema.maxLength ?? 0) + 1);
  if (DURATION_TEXT.test(rule)) {
    const minMs = parseDuration(DURATION_MIN.exec(rule)?.[1] ?? "0s");
    const maxMs = parseDuration(DURATION_MAX.exec(rule)?.[1] ?? "");
    return {
      path,
      valid: (random) => formatDuration(minMs + Math.round(random() * (maxMs - minMs))),
      invalid: [
        ...(minMs > 0 ? [formatDuration(minMs - 1)] : []),
        formatDuration(maxMs + 1),
        "soon",
        "1.5s",
        "-5s",
        "",
        7,
        tooLong,
      ],
    };
  }
  if (rule.includes(DNS_LABEL)) {
    return {
      path,
      valid: (random) =>
        Array.from(
          { length: 1 + Math.floor(random() * 20) },
          () => LETTERS[Math.floor(random() * LETTERS.length)],
        ).join(""),
      invalid: ["Big", "a b", "-a", "a-", "", true, tooLong],
    };
  }
  if (rule.includes("getHours(self)")) {
    return {
      path,
      valid: (random) => ZONES[Math.floor(random() * ZONES.length)],
      invalid: ["Local", "Europe/Madird", "", 1, tooLong],
    };
  }
  throw new Error(`no values are known for the rule of ${path.join(".")}: ${rule}`);
}

/** {"dispatch": {"horizon": "20m"}} for the path ["dispatch", "horizon"]. */
export function nested(path: readonly string[], value: unknown): Record<string, unknown> {
  return path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as Record<string, unknown>;
}
