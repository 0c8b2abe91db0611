import { loadYaml } from "@kubernetes/client-node";

/** The TypeScript of a City's spec for Pulumi programs, made from the City resource's own schema. Pure. */

type Schema = {
  readonly type: "object" | "string" | "integer" | "number" | "boolean" | "array";
  readonly description?: string;
  readonly default?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly enum?: readonly string[];
};

type Crd = {
  readonly spec: {
    readonly group: string;
    readonly versions: readonly [
      { readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } },
    ];
  };
};

const LINE_LENGTH_MAX = 110;

/** `text`: that of crds/city.yaml. A kind of schema that has no counterpart here throws. */
export function cityTypes(text: string): string {
  const { group, versions } = loadYaml<Crd>(text).spec;
  const [version] = versions;
  const spec = version.schema.openAPIV3Schema.properties?.["spec"];
  if (spec === undefined) throw new Error("the City resource has no spec");
  return `import type { Input } from "@pulumi/pulumi";

/** Made from crds/city.yaml: make chart-docs. */

export const CITY_API_VERSION = "${group}/${version.name}";

/** ${spec.description} What is left out has the default of the City resource. */
export type CitySpec = ${typeOf(spec, "")};
`;
}

function typeOf(schema: Schema, indent: string): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  switch (schema.type) {
    case "string":
    case "boolean":
      return schema.type;
    case "integer":
    case "number":
      return "number";
    case "array":
      if (schema.items === undefined) throw new Error("an array without items");
      return `readonly Input<${typeOf(schema.items, indent)}>[]`;
    case "object":
      return objectOf(schema, indent);
    default:
      return schema.type satisfies never;
  }
}

function objectOf({ properties, additionalProperties, required = [] }: Schema, indent: string): string {
  if (additionalProperties !== undefined) {
    return `Readonly<Record<string, Input<${typeOf(additionalProperties, indent)}>>>`;
  }
  const inner = `${indent}  `;
  const fields = Object.entries(properties ?? {}).map(([name, schema]) => {
    const mark = required.includes(name) ? "" : "?";
    const field = `${inner}readonly ${name}${mark}: Input<${typeOf(schema, inner)}>;`;
    return `${commentOf(schema, inner)}${field}`;
  });
  return `{\n${fields.join("\n")}\n${indent}}`;
}

function commentOf({ description, default: byDefault }: Schema, indent: string): string {
  if (description === undefined) return "";
  // An object's default is that of its fields.
  const isTelling = ["string", "number", "boolean"].includes(typeof byDefault);
  const text = isTelling ? `${description} Default: ${JSON.stringify(byDefault)}.` : description;
  const single = `${indent}/** ${text} */`;
  if (single.length <= LINE_LENGTH_MAX) return `${single}\n`;
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (indent.length + 3 + longer.length > LINE_LENGTH_MAX) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [`${indent}/**`, ...[...lines, line].map((part) => `${indent} * ${part}`), `${indent} */\n`].join(
    "\n",
  );
}
