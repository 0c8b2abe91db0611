import type { Dispatcher } from "undici";
import { withDeadline } from "../abort.ts";
import type { Clock } from "../clock.ts";
import type { Access, Cluster } from "./cluster.ts";
import { errorOfFailure, errorOfStatus, KubeError, type StatusText } from "./kube-error.ts";

/** HTTP to one API server: credentials, deadlines, and the one place where what went wrong becomes a KubeError. */

export type Request = {
  /** For messages: "replace leases/city-madrid in cities". */
  readonly what: string;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
};

export type Answer = {
  readonly httpStatus: number;
  readonly text: string;
  /** The header, in seconds. */
  readonly retryAfter: string | undefined;
};

export class Transport {
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #requestTimeoutMs: number;
  readonly #userAgent: string;

  constructor(input: {
    readonly cluster: Cluster;
    readonly clock: Clock;
    readonly requestTimeoutMs: number;
    readonly userAgent: string;
  }) {
    this.#cluster = input.cluster;
    this.#clock = input.clock;
    this.#requestTimeoutMs = input.requestTimeoutMs;
    this.#userAgent = input.userAgent;
  }

  /** One request and its whole answer, whatever its status, within the deadline. */
  async send(request: Request, signal: AbortSignal): Promise<Answer> {
    return await this.#translated(request, signal, async () =>
      withDeadline(this.#deadline(request, signal), async (limited) => {
        const access = await this.#cluster.access(limited);
        const answer = await this.#exchange(request, access, limited);
        if (answer.httpStatus !== 401 || !this.#cluster.forget(access)) return answer;
        // Credentials rotate: the ones in the files may be newer than ours, and a refused request did nothing.
        return await this.#exchange(request, await this.#cluster.access(limited), limited);
      }),
    );
  }

  /**
   * The bytes of an answer that goes on for long. Only its beginning has a deadline: silence later is for the caller to
   * notice. Throws the error of any status but 200.
   */
  async *stream(request: Request, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const response = await this.#translated(request, signal, async () => {
      // The deadline must not cut what follows the headers, so it does not go into the request's own signal.
      const given = new AbortController();
      return await withDeadline(this.#deadline(request, signal), async (limited) => {
        const onAbort = (): void => {
          given.abort(limited.reason);
        };
        limited.addEventListener("abort", onAbort, { once: true });
        try {
          const access = await this.#cluster.access(limited);
          const { statusCode, headers, body } = await access.watches.request({
            ...this.#options(request, access),
            signal: AbortSignal.any([given.signal, signal]),
          });
          if (statusCode === 200) return body;
          if (statusCode === 401) this.#cluster.forget(access);
          const answer = {
            httpStatus: statusCode,
            text: await body.text(),
            retryAfter: header(headers, "retry-after"),
          };
          throw refusal(request, answer);
        } finally {
          limited.removeEventListener("abort", onAbort);
        }
      });
    });
    try {
      for await (const chunk of response) yield chunk as Uint8Array;
    } catch (error) {
      signal.throwIfAborted();
      throw errorOfFailure(request.what, error);
    }
  }

  async close(): Promise<void> {
    await this.#cluster.close();
  }

  async #exchange(request: Request, access: Access, signal: AbortSignal): Promise<Answer> {
    const { statusCode, headers, body } = await access.requests.request({
      ...this.#options(request, access),
      signal,
    });
    return { httpStatus: statusCode, text: await body.text(), retryAfter: header(headers, "retry-after") };
  }

  async #translated<Result>(
    request: Request,
    signal: AbortSignal,
    work: () => Promise<Result>,
  ): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      throw errorOfFailure(request.what, error);
    }
  }

  #deadline({ what }: Request, signal: AbortSignal): Parameters<typeof withDeadline>[0] {
    return { clock: this.#clock, what, limitMs: this.#requestTimeoutMs, signal };
  }

  #options(request: Request, access: Access): Dispatcher.RequestOptions {
    return {
      origin: this.#cluster.origin,
      path: this.#cluster.pathPrefix + request.path + queryText(request.query),
      method: request.method,
      headers: {
        ...access.headers,
        accept: "application/json",
        "user-agent": this.#userAgent,
        ...(request.body === undefined ? {} : { "content-type": request.contentType ?? "application/json" }),
      },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    };
  }
}

/** A successful answer's content. Throws the KubeError of any other. */
export function decode(request: Request, answer: Answer): unknown {
  if (answer.httpStatus < 200 || answer.httpStatus > 299) throw refusal(request, answer);
  try {
    return JSON.parse(answer.text);
  } catch (error) {
    const message = `${request.what}: the answer is not JSON; is this the API server?`;
    throw new KubeError({ code: "kube-unavailable", remedy: "retry", message, cause: error });
  }
}

/** Whether the object is not there; a resource that is not served, such as one without its CRD, is something else. */
export function isAbsent(answer: Answer): boolean {
  if (answer.httpStatus !== 404) return false;
  const status = statusOf(answer);
  return status?.reason === "NotFound" && status.details?.name !== undefined;
}

function refusal(request: Request, answer: Answer): KubeError {
  return errorOfStatus({
    what: request.what,
    httpStatus: answer.httpStatus,
    status: statusOf(answer),
    retryAfter: answer.retryAfter,
  });
}

/** Not every refusal comes from the API server itself: what stands in between answers in its own words. */
function statusOf(answer: Answer): StatusText | undefined {
  try {
    const status = JSON.parse(answer.text) as StatusText | null;
    return status?.kind === "Status" ? status : undefined;
  } catch {
    return undefined;
  }
}

function header(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  name: string,
): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function queryText(query: Request["query"] = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return parameters.size === 0 ? "" : `?${parameters.toString()}`;
}
