import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A network between a client and a server on this machine that a test can break in the ways that networks do. */
export type TcpProxy = {
  readonly port: number;
  /** Connections that were made so far. */
  readonly acceptedCount: number;
  /** Resets every connection; new ones are reset as well until `heal`. */
  cut(): void;
  /** Nothing passes any more, in either direction, and nobody is told; new connections hang. */
  freeze(): void;
  /** Undoes `cut` and `freeze`: frozen connections go on. */
  heal(): void;
  close(): Promise<void>;
};

type Pair = readonly [Socket, Socket];

export async function createTcpProxy(targetPort: number): Promise<TcpProxy> {
  let state: "open" | "cut" | "frozen" = "open";
  let acceptedCount = 0;
  const pairs = new Set<Pair>();
  const server = createServer((near) => {
    acceptedCount += 1;
    const pair: Pair = [near, connect({ port: targetPort, host: "127.0.0.1" })];
    pairs.add(pair);
    joinEnds(pair, () => pairs.delete(pair));
    if (state === "open") flow(pair);
    if (state === "cut") near.resetAndDestroy();
  });
  const listening = Promise.withResolvers<void>();
  server.once("error", listening.reject);
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  return {
    port: (server.address() as AddressInfo).port,
    get acceptedCount() {
      return acceptedCount;
    },
    cut() {
      state = "cut";
      for (const [near] of pairs) near.resetAndDestroy();
    },
    freeze() {
      state = "frozen";
      for (const pair of pairs) for (const socket of pair) socket.unpipe().pause();
    },
    heal() {
      if (state === "frozen") for (const pair of pairs) flow(pair);
      state = "open";
    },
    async close() {
      const closed = Promise.withResolvers<void>();
      server.close(() => {
        closed.resolve();
      });
      for (const [near] of pairs) near.destroy();
      await closed.promise;
    },
  };
}

function flow([near, far]: Pair): void {
  near.pipe(far);
  far.pipe(near);
}

/** Whatever ends one side ends the other; what ended it is for the test's subject to find out. */
function joinEnds([near, far]: Pair, onEnd: () => void): void {
  for (const [socket, other] of [
    [near, far],
    [far, near],
  ] as const) {
    socket.on("error", () => undefined);
    socket.on("close", () => {
      other.destroy();
      onEnd();
    });
  }
}
