import type { Dispatcher } from "undici";
import { abortable, withDeadline } from "../abort.ts";
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

export type ByteStream = { readonly chunks: AsyncIterable<Uint8Array>; close(): void };

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
   * Opens an answer that goes on for long. Only its beginning has a deadline: later silence is for the caller to notice.
   * Throws the error of any status but 200. Close what it returns.
   */
  async open(request: Request, signal: AbortSignal): Promise<ByteStream> {
    // Aborts before the answer has begun; a deadline inside the request's own signal would cut it off later.
    const beginning = new AbortController();
    const whole = AbortSignal.any([beginning.signal, signal]);
    const body = await this.#translated(request, signal, async () =>
      withDeadline(this.#deadline(request, signal), async (limited) => {
        const giveUp = (): void => {
          beginning.abort(limited.reason);
        };
        limited.addEventListener("abort", giveUp, { once: true });
        try {
          const access = await this.#cluster.access(limited);
          const answer = await begin(access.watches, { ...this.#options(request, access), signal: whole });
          if (answer.statusCode === 200) return answer.body;
          if (answer.statusCode === 401) this.#cluster.forget(access);
          throw refusal(request, await read(answer));
        } finally {
          limited.removeEventListener("abort", giveUp);
        }
      }),
    );
    return {
      chunks: translateChunks(request, body, signal),
      close: () => {
        // Closing before the end is an abort, which the stream reports to whoever reads it: by then, nobody.
        body.on("error", () => undefined);
        body.destroy();
      },
    };
  }

  async close(): Promise<void> {
    await this.#cluster.close();
  }

  async #exchange(request: Request, access: Access, signal: AbortSignal): Promise<Answer> {
    return await read(await begin(access.requests, { ...this.#options(request, access), signal }));
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

/**
 * undici takes note of an aborted request only once it has a connection for it: until then nobody would learn of the abort for as
 * long as a server that is cut off lets a connection wait.
 */
async function begin(
  dispatcher: Dispatcher,
  options: Dispatcher.RequestOptions & { readonly signal: AbortSignal },
): Promise<Dispatcher.ResponseData> {
  return await abortable(dispatcher.request(options), options.signal);
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

async function read({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<Answer> {
  const retryAfter = headers["retry-after"];
  return {
    httpStatus: statusCode,
    text: await body.text(),
    retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter,
  };
}

async function* translateChunks(
  request: Request,
  chunks: AsyncIterable<unknown>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of chunks) yield chunk as Uint8Array;
  } catch (error) {
    signal.throwIfAborted();
    throw errorOfFailure(request.what, error);
  }
}

function queryText(query: Request["query"] = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return parameters.size === 0 ? "" : `?${parameters.toString()}`;
}
