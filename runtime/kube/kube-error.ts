import { isOperational, OperationalError, type Remedy } from "../errors.ts";

/**
 * Everything that can go wrong between us and the API server, translated once, here:
 * `kube-conflict` `kube-already-exists` `kube-not-found` `kube-expired` (read again), `kube-throttled` `kube-unavailable`
 * `kube-unreachable` `kube-timeout` `kube-credentials` (try again), `kube-forbidden` `kube-unauthorized` `kube-invalid`
 * `kube-config` (a person must act).
 */
export class KubeError extends OperationalError {
  /** How long the API server asked us to stay away; set only with `kube-throttled` and `kube-unavailable`. */
  readonly retryAfterMs: number | undefined;

  constructor(input: {
    readonly code: string;
    readonly remedy: Remedy;
    readonly message: string;
    readonly retryAfterMs?: number | undefined;
    readonly cause?: unknown;
  }) {
    super(input);
    this.retryAfterMs = input.retryAfterMs;
  }
}

/** The part of a `Status` object that says what happened. */
export type StatusText = {
  readonly kind?: string;
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly name?: string; readonly retryAfterSeconds?: number };
};

const MESSAGE_LENGTH_MAX = 500;

/** An answer other than success → error. `what` names the request, as in "replace leases/city-madrid in cities". */
export function errorOfStatus(input: {
  readonly what: string;
  readonly httpStatus: number;
  readonly status: StatusText | undefined;
  /** The header, in seconds. */
  readonly retryAfter?: string | undefined;
}): KubeError {
  const { what, httpStatus, status, retryAfter } = input;
  const { code, remedy } = classify(httpStatus, status?.reason);
  const said = (status?.message ?? `HTTP ${httpStatus}`).slice(0, MESSAGE_LENGTH_MAX);
  const seconds = Number(retryAfter ?? status?.details?.retryAfterSeconds ?? Number.NaN);
  const mayWait = code === "kube-throttled" || code === "kube-unavailable";
  return new KubeError({
    code,
    remedy,
    message: `${what}: ${said}`,
    retryAfterMs: mayWait && Number.isFinite(seconds) ? seconds * 1_000 : undefined,
  });
}

function classify(httpStatus: number, reason: string | undefined): { code: string; remedy: Remedy } {
  switch (httpStatus) {
    case 401:
      return { code: "kube-unauthorized", remedy: "give-up" };
    case 403:
      return { code: "kube-forbidden", remedy: "give-up" };
    case 404:
      return { code: "kube-not-found", remedy: "refresh" };
    case 409:
      return {
        code: reason === "AlreadyExists" ? "kube-already-exists" : "kube-conflict",
        remedy: "refresh",
      };
    case 410:
      return { code: "kube-expired", remedy: "refresh" };
    case 408:
      return { code: "kube-timeout", remedy: "retry" };
    case 429:
      return { code: "kube-throttled", remedy: "retry" };
    default:
      if (httpStatus >= 500) return { code: "kube-unavailable", remedy: "retry" };
      return { code: "kube-invalid", remedy: "give-up" };
  }
}

const TIMEOUT_CODES: ReadonlySet<string> = new Set([
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "ETIMEDOUT",
  "deadline-exceeded",
]);
/** What undici says when we called it wrongly: that is a bug of ours, not the world's. */
const MISUSE_CODES: ReadonlySet<string> = new Set(["UND_ERR_INVALID_ARG", "UND_ERR_NOT_SUPPORTED"]);

/** What a request without an answer threw → error. Returns what it does not know unchanged: that is our own mistake. */
export function errorOfFailure(what: string, error: unknown): unknown {
  if (error instanceof KubeError || !Error.isError(error)) return error;
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (code === undefined || MISUSE_CODES.has(code)) return error;
  if (TIMEOUT_CODES.has(code)) {
    return new KubeError({
      code: "kube-timeout",
      remedy: "retry",
      message: `${what}: no answer in time`,
      cause: error,
    });
  }
  if (isOperational(error)) return error;
  return new KubeError({
    code: "kube-unreachable",
    remedy: "retry",
    message: `${what}: ${error.message === "" ? code : error.message}`.slice(0, MESSAGE_LENGTH_MAX),
    cause: error,
  });
}
