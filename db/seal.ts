import type { FencingToken } from "../crds/token.ts";
import type { Database } from "./pool.ts";

/** `behind`: a larger token is at the fence. `foreign`: the database takes tokens from another cluster. */
export type SealOutcome = "sealed" | "behind" | "foreign";

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
  const outcome = rows?.[0]?.["outcome"];
  if (outcome === "sealed" || outcome === "behind" || outcome === "foreign") return outcome;
  throw new TypeError(`seal_city answered ${JSON.stringify(rows)}`);
}
