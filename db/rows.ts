/** From what the driver returns for a column to what the product works with. */

/** BIGINT columns arrive as text, so that no digit is lost. */
export function bigintOf(value: unknown): bigint {
  return BigInt(value as string | number);
}

export function numberOrUndefined(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}

export function textOrUndefined(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** A company may have numbers for ids; here they are text. */
export function idOrUndefined(value: unknown): string | undefined {
  return typeof value === "number" ? String(value) : textOrUndefined(value);
}

/** DATETIME columns arrive as Date, since sessions are in UTC. → milliseconds since 1970. */
export function timeMsOf(value: unknown): number {
  return (value as Date).getTime();
}

export function timeMsOrUndefined(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : timeMsOf(value);
}

/** JSON columns arrive parsed, JSON variables of a procedure as text, depending on the server. */
export function parsedJson(value: unknown): unknown {
  if (value === null || value === undefined) return undefined;
  return typeof value === "string" ? (JSON.parse(value) as unknown) : value;
}
