import { createHash } from "node:crypto";
import type { RequestOptions } from "node:https";
import { KubeConfig } from "@kubernetes/client-node";
import { Agent, ProxyAgent, type Dispatcher } from "undici";
import { abortable } from "../abort.ts";
import type { Clock } from "../clock.ts";
import { isOperational } from "../errors.ts";
import { KubeError } from "./kube-error.ts";

/**
 * Where the API server is and how we prove who we are. `@kubernetes/client-node` finds the cluster and the credentials
 * (files, service account, exec plugins); connections are ours, since it opens a new TLS connection for every call.
 */

export type KubeconfigSource =
  /** $KUBECONFIG, else ~/.kube/config, else the service account of the Pod that this runs in: the order kubectl has. */
  | { readonly kind: "default"; readonly context?: string }
  | { readonly kind: "file"; readonly path: string; readonly context?: string }
  | { readonly kind: "in-cluster" };

/** What one request needs: its credentials, and the connections that were made with the matching certificates. */
export type Access = {
  readonly headers: Readonly<Record<string, string>>;
  readonly requests: Dispatcher;
  readonly watches: Dispatcher;
};

/** Credentials in files rotate long before they expire, so looking again this often is never too late. */
const CREDENTIALS_INTERVAL_MS = 10_000;
/** Asking again sooner would find the same. */
const CREDENTIALS_AGE_MIN_MS = 1_000;
/** The API server closes idle connections after 90 s; we do so first, so that no request meets a closing one. */
const IDLE_LIMIT_MS = 60_000;
const PROBE_DELAY_MS = 30_000;

type Tls = Pick<RequestOptions, "ca" | "cert" | "key" | "servername" | "rejectUnauthorized">;
type Connections = {
  readonly fingerprint: string;
  readonly requests: Dispatcher;
  readonly watches: Dispatcher;
};

export class Cluster {
  readonly origin: string;
  /** What a server behind a path, such as a proxy for many clusters, wants before every path. */
  readonly pathPrefix: string;
  /** The namespace of the kubeconfig's current context. */
  readonly namespace: string | undefined;
  readonly #input: ClusterInput;
  /** Caches credentials of its own, so a new one is made to forget them. */
  #config: KubeConfig | undefined;
  #access: { readonly value: Access; readonly readAtMs: number } | undefined;
  #reading: Promise<Access> | undefined;
  #connections: Connections | undefined;
  readonly #retired = new Map<Dispatcher, Promise<void>>();
  #closed = false;

  constructor(input: ClusterInput) {
    this.#input = input;
    const config = loadConfig(input.source);
    this.#config = config;
    const server = config.getCurrentCluster()?.server ?? "";
    if (!URL.canParse(server)) {
      throw configError(
        input.source.kind === "in-cluster"
          ? "this process does not run inside a Pod with a service account"
          : "the kubeconfig's current context names no cluster with a server",
      );
    }
    const url = new URL(server);
    this.origin = url.origin;
    this.pathPrefix = url.pathname.replace(/\/$/, "");
    this.namespace = config.getContextObject(config.getCurrentContext())?.namespace;
  }

  /** Errors: `kube-credentials`, `kube-config`. */
  async access(signal: AbortSignal): Promise<Access> {
    const known = this.#access;
    if (known !== undefined && this.#input.clock.monotonicMs() - known.readAtMs < CREDENTIALS_INTERVAL_MS) {
      return known.value;
    }
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return await abortable(this.#reading, signal);
  }

  /**
   * The API server refused these credentials: forget what is cached of them. False when they were read just now, so that
   * reading again would find the same.
   */
  forget(refused: Access): boolean {
    const known = this.#access;
    if (known?.value !== refused) return true;
    if (this.#input.clock.monotonicMs() - known.readAtMs < CREDENTIALS_AGE_MIN_MS) return false;
    this.#access = undefined;
    this.#config = undefined;
    return true;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const { requests, watches } = this.#connections ?? {};
    const open = [requests, watches, ...this.#retired.keys()].filter(
      (dispatcher) => dispatcher !== undefined,
    );
    await Promise.all(open.map(async (dispatcher) => dispatcher.destroy()));
    await Promise.allSettled(this.#retired.values());
  }

  async #read(): Promise<Access> {
    const options: RequestOptions = {};
    this.#config ??= loadConfig(this.#input.source);
    const config = this.#config;
    try {
      await config.applyToHTTPSOptions(options);
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      if (said.startsWith("HTTP protocol")) {
        throw configError(
          `${this.origin}: only https, unless insecure-skip-tls-verify is set; is a kubeconfig set?`,
          error,
        );
      }
      const message = `reading the credentials failed: ${said}`;
      throw new KubeError({ code: "kube-credentials", remedy: "retry", message, cause: error });
    }
    const { requests, watches } = this.#connectionsFor(options, config.getCurrentCluster()?.proxyUrl);
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(options.headers ?? {}))
      headers[name.toLowerCase()] = String(value).trim();
    if (typeof options.auth === "string") {
      headers["authorization"] = `Basic ${Buffer.from(options.auth).toString("base64")}`;
    }
    const value: Access = { headers, requests, watches };
    this.#access = { value, readAtMs: this.#input.clock.monotonicMs() };
    return value;
  }

  /** The connections for these certificates: the ones we have, or new ones while the old ones finish what they do. */
  #connectionsFor(options: RequestOptions, proxyUrl: string | undefined): Connections {
    if (this.#closed)
      throw new KubeError({ code: "kube-unreachable", remedy: "give-up", message: "the client is closed" });
    const tls = tlsOf(options);
    const fingerprint = createHash("sha256").update(JSON.stringify(tls)).digest("hex");
    const known = this.#connections;
    if (known?.fingerprint === fingerprint) return known;
    if (known !== undefined) {
      this.#retire(known.requests);
      this.#retire(known.watches);
    }
    const { connectionsMax } = this.#input;
    this.#connections = {
      fingerprint,
      requests: this.#createDispatcher(tls, proxyUrl, connectionsMax),
      // Watches keep a connection each for minutes: on connections of their own, they never make a request wait.
      watches: this.#createDispatcher(tls, proxyUrl, undefined),
    };
    return this.#connections;
  }

  #createDispatcher(tls: Tls, proxyUrl: string | undefined, connectionsMax: number | undefined): Dispatcher {
    const connect = {
      ...tls,
      timeout: this.#input.connectTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelay: PROBE_DELAY_MS,
    };
    const options: Agent.Options = {
      // Over HTTP/2 a half-open connection would be reused for ever; over HTTP/1.1 giving up a request closes its socket.
      allowH2: false,
      connections: connectionsMax ?? null,
      pipelining: 1,
      keepAliveTimeout: IDLE_LIMIT_MS,
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    if (proxyUrl === undefined || proxyUrl === "") return new Agent({ ...options, connect });
    if (proxyUrl.startsWith("http"))
      return new ProxyAgent({ ...options, uri: proxyUrl, requestTls: connect });
    throw configError(`proxy-url ${proxyUrl}: only http and https proxies can be used`);
  }

  #retire(dispatcher: Dispatcher): void {
    const closing = dispatcher
      .close()
      // Destroyed while it was closing: closed all the same.
      .catch(() => undefined)
      .finally(() => {
        this.#retired.delete(dispatcher);
      });
    this.#retired.set(dispatcher, closing);
  }
}

export type ClusterInput = {
  readonly source: KubeconfigSource;
  readonly connectionsMax: number;
  readonly connectTimeoutMs: number;
  readonly clock: Clock;
};

function tlsOf(options: RequestOptions): Tls {
  const text = (value: unknown): string | undefined =>
    Buffer.isBuffer(value) || typeof value === "string" ? value.toString() : undefined;
  const [ca, cert, key] = [text(options.ca), text(options.cert), text(options.key)];
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(options.servername === undefined ? {} : { servername: options.servername }),
    ...(options.rejectUnauthorized === undefined ? {} : { rejectUnauthorized: options.rejectUnauthorized }),
  };
}

function loadConfig(source: KubeconfigSource): KubeConfig {
  const config = new KubeConfig();
  try {
    switch (source.kind) {
      case "default":
        config.loadFromDefault();
        if (source.context !== undefined) config.setCurrentContext(source.context);
        break;
      case "in-cluster":
        config.loadFromCluster();
        break;
      case "file":
        config.loadFromFile(source.path);
        if (source.context !== undefined) config.setCurrentContext(source.context);
        break;
      default:
        source satisfies never;
    }
  } catch (error) {
    if (isOperational(error)) throw error;
    throw configError(error instanceof Error ? error.message : String(error), error);
  }
  return config;
}

function configError(what: string, cause?: unknown): KubeError {
  return new KubeError({
    code: "kube-config",
    remedy: "give-up",
    message: `no usable kubeconfig: ${what}`,
    cause,
  });
}
