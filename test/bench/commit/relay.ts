import { connect, createServer, type AddressInfo } from "node:net";

/**
 * A process of its own between the client and MySQL: holds back every answer for `ROUND_TRIP_MS`, so that each round trip
 * takes that much longer. It sends its port to its parent and ends with it.
 */

const target = Number(process.env["TARGET_PORT"]);
const roundTripMs = Number(process.env["ROUND_TRIP_MS"]);

const server = createServer((near) => {
  const far = connect({ port: target, host: "127.0.0.1", noDelay: true });
  near.setNoDelay(true);
  near.on("data", (bytes) => far.write(bytes));
  // Timers of one length fire in the order in which they were set: the stream stays in order.
  far.on("data", (bytes) => setTimeout(() => near.write(bytes), roundTripMs));
  for (const [one, other] of [
    [near, far],
    [far, near],
  ] as const) {
    one.on("error", () => undefined);
    one.on("close", () => other.destroy());
  }
});
server.listen(0, "127.0.0.1", () => {
  process.send?.((server.address() as AddressInfo).port);
});
process.on("disconnect", () => {
  process.exit(0);
});
