import { connect, type Server, type Socket } from "node:net";

/**
 * The inside of the doors of a local cluster: it is given listening sockets of the machine's loopback, and takes each
 * connection on to the same port of the loopback inside, where it runs. It ends with the cluster.
 */

/** Comes with the listening socket. */
export type DoorOrder = { readonly port: number };

process.on("message", ({ port }: DoorOrder, handle: unknown) => {
  (handle as Server).on("connection", (outer: Socket) => {
    join(outer, connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true }));
  });
  process.send?.({ port });
});

function join(outer: Socket, inner: Socket): void {
  outer.setNoDelay(true);
  for (const [from, to] of [
    [outer, inner],
    [inner, outer],
  ] as const) {
    from.pipe(to);
    from.on("error", () => to.destroy());
    from.on("close", () => to.destroy());
  }
}
