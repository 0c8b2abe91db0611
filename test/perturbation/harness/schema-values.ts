import { formatDuration, parseDuration } from "../../../crds/duration.ts";
import type { Random } from "../../../local/traffic/random.ts";

/**
 * Values for the fields of a CustomResourceDefinition, made from its schema alone: what it must accept, and what it must
 * refuse. A rule that is not understood is an error, so that a new rule in the schema brings a line here.
 */

export type Schema = {
  readonly type?: string;
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

/** Every leaf of the schema. */
export function fieldsOf(schema: Schema, path: readonly string[] = []): Field[] {
  if (schema.properties !== undefined) {
    return Object.entries(schema.properties).flatMap(([name, property]) =>
      fieldsOf(property, [...path, name]),
    );
  }
  const [rule] = schema["x-kubernetes-validations"] ?? [];
  if (schema.type === "boolean") return [{ path, valid: (random) => random() < 0.5, invalid: ["yes", 1] }];
  if (schema.type === "integer") return [integerField(path, schema)];
  if (schema.additionalProperties !== undefined) return [mapField(path, schema)];
  if (schema.type === "string" && rule !== undefined) return [textField(path, schema, rule.rule)];
  throw new Error(`no values are known for the field ${path.join(".")} of the schema`);
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
