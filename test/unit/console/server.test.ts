import { connect, type Socket } from "node:net";
import { request } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { Viewer } from "../../../operator/console/audience.ts";
import { readPageFiles } from "../../../operator/console/page-files.ts";
import { serveConsole, type ConsoleServer, type Told } from "../../../operator/console/server.ts";
import { happensWithin } from "../../support/until.ts";

/** The edge to browsers, on a real socket. */

const LIMIT_MS = 5_000;
const PICTURE_BYTES = 1_048_576;

type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
};

describe("the console's server", () => {
  let server: ConsoleServer;
  let viewers: Viewer[];
  let told: Told;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    viewers = [];
    told = ["placed"];
    const join = (viewer: Viewer) => {
      viewers.push(viewer);
      return () => void viewers.splice(viewers.indexOf(viewer), 1);
    };
    server = await serveConsole(
      {
        files: await readPageFiles(),
        joinFleet: join,
        joinCity: (city, viewer) => (city === "full" ? "full" : join(viewer)),
        tellStory: () => Promise.resolve(told),
      },
      0,
    );
  });

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await server.close();
  });

  async function ask(path: string, options: { method?: string; headers?: Record<string, string> } = {}) {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const asked = request({ host: "127.0.0.1", port: server.port, path, ...options }, (response) => {
      const finish = (body: string): void =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      // A stream has no end to wait for.
      if (response.headers["content-type"] === "text/event-stream") {
        response.on("error", () => undefined);
        finish("");
        sockets.push(response.socket);
        return;
      }
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.on("end", () => finish(body));
    });
    asked.on("error", reject);
    asked.end();
    return promise;
  }

  test("serves the page and its modules, without types, and nothing from elsewhere", async () => {
    const page = await ask("/");
    expect(page.headers["content-type"]).toContain("text/html");
    const links = [...page.body.matchAll(/(?:src|href)="([^"#]+)"/g)].map((match) => match[1] ?? "");
    expect(links.length).toBeGreaterThan(2);
    for (const link of links) {
      expect(link).toMatch(/^\//);
      expect((await ask(link)).status).toBe(200);
    }
    const main = await ask("/main.ts");
    expect(main.headers["content-type"]).toContain("text/javascript");
    expect(main.body).not.toContain("import type");
  });

  test("sends a policy that lets the page load nothing from elsewhere and run nothing inline", async () => {
    const policy = String((await ask("/")).headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect((await ask("/")).headers["x-content-type-options"]).toBe("nosniff");
  });

  test("answers a file that the browser has with a word", async () => {
    const { headers } = await ask("/page.css");
    const again = await ask("/page.css", { headers: { "if-none-match": String(headers["etag"]) } });
    expect([again.status, again.body]).toEqual([304, ""]);
  });

  test.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])("refuses %s", async (method) => {
    expect((await ask("/", { method })).status).toBe(405);
  });

  test("answers only those who call it by loopback: a name could be another page's", async () => {
    expect((await ask("/", { headers: { host: "evil.example" } })).status).toBe(421);
    expect((await ask("/stream/fleet", { headers: { host: "10.0.0.7:8081" } })).status).toBe(421);
    for (const host of ["localhost:8081", "127.0.0.1", "[::1]:9999"]) {
      expect((await ask("/", { headers: { host } })).status).toBe(200);
    }
  });

  test("streams and tells nothing to other pages, which could not read it but would be in the way", async () => {
    for (const path of ["/stream/fleet", "/stream/city?city=madrid", "/story?city=madrid&order=o1"]) {
      for (const site of ["cross-site", "same-site"]) {
        expect((await ask(path, { headers: { "sec-fetch-site": site } })).status).toBe(403);
      }
      expect((await ask(path, { headers: { "sec-fetch-site": "same-origin" } })).status).toBe(200);
    }
  });

  test("knows no other path, and no city that cannot be one", async () => {
    for (const path of [
      "/metrics",
      "/../operator.ts",
      "/page.html",
      "/stream/city?city=..%2F",
      "/story?city=A",
    ]) {
      expect((await ask(path)).status).toBe(404);
    }
  });

  test("tells a story, or in a sentence why not", async () => {
    expect(JSON.parse((await ask("/story?city=madrid&order=o1")).body)).toEqual({ lines: ["placed"] });
    told = "busy";
    expect(await ask("/story?city=madrid&order=o1")).toMatchObject({ status: 503 });
    told = { failed: "database-timeout" };
    expect((await ask("/story?city=madrid&order=o1")).body).toBe("database-timeout\n");
  });

  test("lets sixteen look, and another one when one of them has gone", async () => {
    for (let viewer = 0; viewer < 16; viewer++) expect((await ask("/stream/fleet")).status).toBe(200);
    expect((await ask("/stream/fleet")).status).toBe(503);
    sockets.shift()?.destroy();
    await happensWithin(LIMIT_MS, "the departure of one", () => viewers.length === 15);
    expect((await ask("/stream/city?city=madrid")).status).toBe(200);
    expect((await ask("/stream/city?city=full")).status).toBe(503);
  });

  test("knows of a viewer that takes nothing, so that nothing piles up for it", async () => {
    const socket = connect(server.port, "127.0.0.1");
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.write("GET /stream/fleet HTTP/1.1\r\nhost: localhost\r\n\r\n");
    socket.pause();
    await happensWithin(LIMIT_MS, "the arrival", () => viewers.length === 1);
    const [viewer] = viewers;
    const isBusy = (): boolean => viewer?.isBusy ?? false;
    for (let sent = 0; sent < 64 && !isBusy(); sent++) viewer?.send("x".repeat(PICTURE_BYTES));
    expect(viewer?.isBusy).toBe(true);
    viewer?.end();
    await happensWithin(LIMIT_MS, "the departure", () => viewers.length === 0);
  });
});
