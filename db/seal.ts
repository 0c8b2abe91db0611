import type { FencingToken } from "../crds/token.ts";
import type { Database } from "./pool.ts";
import { bigintOf } from "./rows.ts";

/** `behind`: a larger token is at the fence. `foreign`: the database takes tokens from another cluster. */
export type SealOutcome =
  | { readonly kind: "sealed"; readonly epoch: bigint }
  | { readonly kind: "behind" }
  | { readonly kind: "foreign" };

/**
 * The operator's claim on behalf of nobody: once it returned `sealed`, nothing is committed for the city until a larger
 * token claims it. May be repeated. Errors: those of Database.
 */
export async function sealCity(
  database: Database,
  request: { readonly city: string; readonly clusterUid: string; readonly token: FencingToken },
  signal: AbortSignal,
): Promise<SealOutcome> {
  const { city, clusterUid, token } = request;
  const [rows] = await database.call("CALL seal_city(?, ?, ?)", [city, clusterUid, token], signal);
  const row = rows?.[0];
  switch (row?.["outcome"]) {
    case "sealed":
      return { kind: "sealed", epoch: bigintOf(row["epoch"]) };
    case "behind":
    case "foreign":
      return { kind: row["outcome"] };
    default:
      throw new TypeError(`seal_city answered ${JSON.stringify(rows)}`);
  }
}
