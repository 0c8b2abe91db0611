import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Viewer } from "./audience.ts";
import type { PageFile } from "./page-files.ts";

/**
 * The edge to browsers. It listens on loopback alone, which `kubectl port-forward` reaches and nobody else does; answers GET
 * alone; and answers no request that calls it by a name, so that no other page can read it through a browser.
 */

export type ConsoleRoutes = {
  readonly files: ReadonlyMap<string, PageFile>;
  /** Shows the fleet to a viewer; call the function returned when it is gone. */
  joinFleet(viewer: Viewer): () => void;
  joinCity(city: string, viewer: Viewer): (() => void) | "full";
  tellStory(city: string, order: string): Promise<Told>;
};

/** The lines of an order's story. `busy`: another one is being told. */
export type Told = readonly string[] | "busy" | { readonly failed: string };

export type ConsoleServer = { readonly port: number; close(): Promise<void> };

const VIEWERS_MAX = 16;
const CONNECTIONS_MAX = 64;
const ORDER_LENGTH_MAX = 200;
const CITY_NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?$/;

const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-cache",
};

/** Port 0 picks a free one. Rejects when the port is taken. */
export async function serveConsole(routes: ConsoleRoutes, port: number): Promise<ConsoleServer> {
  let viewers = 0;

  function stream(response: ServerResponse, join: (viewer: Viewer) => (() => void) | "full"): void {
    if (viewers >= VIEWERS_MAX) {
      refuse(response, 503, `${VIEWERS_MAX} streams are open already`);
      return;
    }
    const leave = join({
      get isBusy() {
        return response.writableNeedDrain;
      },
      send: (text) => response.write(text),
      end: () => response.destroy(),
    });
    if (leave === "full") {
      refuse(response, 503, "too many cities are being looked at");
      return;
    }
    viewers++;
    response.once("close", () => {
      viewers--;
      leave();
    });
    response.writeHead(200, { ...HEADERS, "content-type": "text/event-stream" });
    // An answer begins at once: the first picture comes within a second. Whoever loses it comes back after two.
    response.write("retry: 2000\n\n");
  }

  async function story(response: ServerResponse, city: string, order: string): Promise<void> {
    const told = await routes.tellStory(city, order);
    if (told === "busy") refuse(response, 503, "another story is being told");
    else if ("failed" in told) refuse(response, 503, told.failed);
    else answer(response, 200, "application/json", JSON.stringify({ lines: told }));
  }

  function handle(request: IncomingMessage, response: ServerResponse): void {
    if (request.method !== "GET") {
      refuse(response, 405, "only GET");
      return;
    }
    if (!LOOPBACK.test(request.headers.host ?? "")) {
      refuse(response, 421, "open it as localhost or 127.0.0.1, through kubectl port-forward");
      return;
    }
    // Another page could not read what it asks for, but would take the place of those who may.
    const site = request.headers["sec-fetch-site"] ?? "same-origin";
    const isElsewhere = site !== "same-origin" && site !== "none";
    const url = new URL(request.url ?? "/", "http://localhost");
    const city = url.searchParams.get("city") ?? "";
    const isCity = city.length <= 63 && CITY_NAME.test(city);
    const file = routes.files.get(url.pathname);
    if (file !== undefined) send(request, response, file);
    else if (isElsewhere) refuse(response, 403, "only for the console's own page");
    else if (url.pathname === "/stream/fleet") stream(response, (viewer) => routes.joinFleet(viewer));
    else if (url.pathname === "/stream/city" && isCity)
      stream(response, (viewer) => routes.joinCity(city, viewer));
    else if (url.pathname === "/story" && isCity) {
      const order = (url.searchParams.get("order") ?? "").slice(0, ORDER_LENGTH_MAX);
      story(response, city, order).catch((error: unknown) => response.destroy(error as Error));
    } else refuse(response, 404, "there is no such page");
  }

  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, handle);
  server.maxConnections = CONNECTIONS_MAX;
  await listen(server, port);
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
}

async function listen(server: Server, port: number): Promise<void> {
  const listening = Promise.withResolvers<void>();
  server.once("error", listening.reject);
  server.listen(port, "127.0.0.1", () => listening.resolve());
  await listening.promise;
}

function send(request: IncomingMessage, response: ServerResponse, file: PageFile): void {
  const headers = { ...HEADERS, etag: file.etag };
  if (request.headers["if-none-match"] === file.etag) {
    response.writeHead(304, headers).end();
    return;
  }
  response.writeHead(200, { ...headers, "content-type": file.contentType }).end(file.body);
}

function answer(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { ...HEADERS, "content-type": contentType }).end(body);
}

function refuse(response: ServerResponse, status: number, sentence: string): void {
  answer(response, status, "text/plain; charset=utf-8", `${sentence}\n`);
}
