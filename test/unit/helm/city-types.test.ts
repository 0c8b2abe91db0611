import { expect, test } from "@jest/globals";
import { cityTypes } from "../../../local/chart/city-types.ts";

function crd(spec: string): string {
  return `
spec:
  group: dispatch.city
  versions:
    - name: v1
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: ${spec.replaceAll("\n", " ")}
`;
}

test("required fields are required, others are optional and say their default", () => {
  const types = cityTypes(
    crd(`{ type: object, description: How., required: [period], properties: {
      period: { type: string, description: Time. },
      weight: { type: integer, default: 5, description: Cost. } } }`),
  );
  expect(types).toContain('export const CITY_API_VERSION = "dispatch.city/v1";');
  expect(types).toContain("  /** Time. */\n  readonly period: Input<string>;");
  expect(types).toContain("  /** Cost. Default: 5. */\n  readonly weight?: Input<number>;");
});

test("objects, maps, lists and choices have their counterparts", () => {
  const types = cityTypes(
    crd(`{ type: object, properties: {
      speeds: { type: object, additionalProperties: { type: integer } },
      names: { type: array, items: { type: string } },
      kind: { type: string, enum: [Car, Bicycle] },
      inner: { type: object, properties: { isOpen: { type: boolean } } } } }`),
  );
  expect(types).toContain("readonly speeds?: Input<Readonly<Record<string, Input<number>>>>;");
  expect(types).toContain("readonly names?: Input<readonly Input<string>[]>;");
  expect(types).toContain('readonly kind?: Input<"Car" | "Bicycle">;');
  expect(types).toContain("readonly inner?: Input<{\n    readonly isOpen?: Input<boolean>;\n  }>;");
});
