/**
 * The fencing token: (epoch, resourceVersion of the City's Lease), compared in that order.
 *
 * resourceVersions of one resource type are comparable as integers since Kubernetes 1.35 (KEP-5504): positive
 * decimals of any length without leading zeros. So they are `bigint` in memory and text in JSON and logs,
 * never a JavaScript number. MySQL keeps them as BIGINT UNSIGNED, which is the one limit there is.
 */

declare const brand: unique symbol;

/** The resourceVersion of a City's Lease, as a claim presents it; the epoch is the database's to add. */
export type FencingToken = bigint & { readonly [brand]: "FencingToken" };

const TOKEN_MAX = 2n ** 64n - 1n;
const DECIMAL = /^[1-9][0-9]*$/;

/** A resourceVersion as the API server gives it → token. Throws a RangeError that names what is wrong with the text. */
export function parseToken(resourceVersion: string): FencingToken {
  if (!DECIMAL.test(resourceVersion)) {
    throw new RangeError(
      `resourceVersion ${JSON.stringify(resourceVersion)} is not a positive decimal: Kubernetes 1.35 or later is required (KEP-5504)`,
    );
  }
  const token = BigInt(resourceVersion);
  if (token > TOKEN_MAX) {
    throw new RangeError(
      `resourceVersion ${resourceVersion} exceeds ${TOKEN_MAX}, the largest BIGINT UNSIGNED of MySQL`,
    );
  }
  return token as FencingToken;
}

/** A token with the epoch in which it was handed out: what a fence row holds and what a commit presents. */
export type EpochToken = { readonly epoch: bigint; readonly token: FencingToken };

/** Negative, zero or positive as `left` is smaller than, equal to or larger than `right`: epoch first. */
export function compareEpochTokens(left: EpochToken, right: EpochToken): -1 | 0 | 1 {
  if (left.epoch !== right.epoch) return left.epoch < right.epoch ? -1 : 1;
  if (left.token !== right.token) return left.token < right.token ? -1 : 1;
  return 0;
}
