import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";

/** What a probe found: `undefined` when all is well, else the sentence that the kubelet's event will show. */
export type Verdict = string | undefined;

export type Probes = {
  readonly port: number;
  close(): Promise<void>;
};

/**
 * Serves /livez (its loops turn), /readyz (it can do its work) and /metrics. Port 0 picks a free one. Rejects when the
 * port is taken.
 */
export async function serveProbes(input: {
  readonly port: number;
  readonly host: string;
  readonly isLive: () => Verdict;
  readonly isReady: () => Verdict;
  readonly registry: Registry;
}): Promise<Probes> {
  const answer = (response: ServerResponse, verdict: Verdict): void => {
    response.writeHead(verdict === undefined ? 200 : 503, { "content-type": "text/plain" });
    response.end(`${verdict ?? "ok"}\n`);
  };
  const server = createServer((request, response) => {
    switch (request.url?.split("?")[0] ?? "") {
      case "/livez":
        answer(response, input.isLive());
        return;
      case "/readyz":
        answer(response, input.isReady());
        return;
      case "/metrics":
        input.registry.metrics().then(
          (text) => response.writeHead(200, { "content-type": input.registry.contentType }).end(text),
          (error: unknown) => response.writeHead(500).end(String(error)),
        );
        return;
      default:
        response.writeHead(404).end("this server has /livez, /readyz and /metrics\n");
    }
  });
  const listening = Promise.withResolvers<void>();
  server.once("error", listening.reject);
  server.listen(input.port, input.host, () => {
    listening.resolve();
  });
  await listening.promise;
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = Promise.withResolvers<void>();
      server.close(() => {
        closed.resolve();
      });
      server.closeAllConnections();
      await closed.promise;
    },
  };
}
