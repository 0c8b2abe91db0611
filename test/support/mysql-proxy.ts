import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/**
 * A TCP proxy between a client and a server on loopback that can misbehave as networks do. What it is told applies to
 * bytes that arrive from then on.
 */
export type MysqlProxy = {
  readonly port: number;
  /** `pass` (as at the beginning), `hold` (kept until released), `drop` (read and forgotten). */
  answers(mode: Mode): void;
  /** While requests are held, connections that are new are lost for good: no late KILL overtakes a late statement. */
  requests(mode: Mode): void;
  /** Called with the bytes of every request that arrives, before they go on. */
  onRequest(listener: (bytes: Buffer) => void): void;
  /** Called when the server has answered, before the answer goes on. */
  onAnswer(listener: () => void): void;
  /**
   * Delivers what was held, in order, even to a server whose client has gone, and passes from then on. Resolves when every
   * connection that something was held for has answered, or has ended.
   */
  release(): Promise<void>;
  /** Breaks the clients' side of every connection; held requests stay deliverable. */
  cutClients(): void;
  close(): Promise<void>;
};

export type Mode = "pass" | "hold" | "drop";

export async function startMysqlProxy(targetPort: number): Promise<MysqlProxy> {
  const clients = new Set<Socket>();
  const servers = new Set<Socket>();
  let held: { readonly to: Socket; readonly write: () => void }[] = [];
  let answers: Mode = "pass";
  let requests: Mode = "pass";
  let isCutting = false;
  const requestListeners: ((bytes: Buffer) => void)[] = [];
  const answerListeners: (() => void)[] = [];

  const deliver = (mode: Mode, bytes: Buffer, to: Socket): void => {
    const write = (): void => {
      if (!to.destroyed) to.write(bytes);
    };
    if (mode === "pass") write();
    else if (mode === "hold") held.push({ to, write });
  };

  const listener = createServer((client) => {
    const server = connect(targetPort, "127.0.0.1");
    clients.add(client);
    servers.add(server);
    client.setNoDelay(true);
    server.setNoDelay(true);
    const isLost = requests === "hold";
    client.on("data", (bytes: Buffer) => {
      if (isLost) return;
      const mode = requests;
      for (const call of requestListeners) call(bytes);
      deliver(mode, bytes, server);
    });
    server.on("data", (bytes: Buffer) => {
      // The mode that was in force when it arrived, whatever a listener changes.
      const mode = answers;
      for (const call of answerListeners) call();
      deliver(mode, bytes, client);
    });
    client.on("error", () => undefined);
    server.on("error", () => undefined);
    client.on("close", () => {
      clients.delete(client);
      // A network that lost the client does not tell the server, while something is still on its way to it.
      if (!isCutting && held.length === 0) server.destroy();
    });
    server.on("close", () => {
      servers.delete(server);
      client.destroy();
    });
  });
  await new Promise<void>((resolve) => {
    listener.listen(0, "127.0.0.1", resolve);
  });
  return {
    port: (listener.address() as AddressInfo).port,
    answers(mode) {
      answers = mode;
    },
    requests(mode) {
      requests = mode;
    },
    onRequest(call) {
      requestListeners.push(call);
    },
    onAnswer(call) {
      answerListeners.push(call);
    },
    async release() {
      answers = "pass";
      requests = "pass";
      const deliveries = held;
      held = [];
      const waited = [...new Set(deliveries.map(({ to }) => to))].filter((to) => servers.has(to));
      const answered = waited.map(answerOf);
      for (const { write } of deliveries) write();
      await Promise.all(answered);
    },
    cutClients() {
      isCutting = true;
      for (const client of clients) client.destroy();
      setImmediate(() => {
        isCutting = false;
      });
    },
    async close() {
      for (const socket of [...clients, ...servers]) socket.destroy();
      await new Promise<void>((resolve) => {
        listener.close(() => {
          resolve();
        });
      });
    },
  };
}

async function answerOf(server: Socket): Promise<void> {
  await new Promise<void>((resolve) => {
    server.once("data", () => {
      resolve();
    });
    server.once("close", () => {
      resolve();
    });
  });
}
