import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import type { ProcessIdentity } from "../process/identity.ts";
import type { DoorOrder } from "./door/main.ts";
import { entering } from "./enclosure.ts";

/**
 * A cluster's network has no link to the machine's. What the machine's programs need of it comes through doors: ports of the
 * machine's loopback, each of which leads to the same port of the loopback inside. A socket stays in the network in which
 * it was opened, so a listening socket that we open here can be served by a process that runs there.
 */
export async function openDoors(anchor: ProcessIdentity, ports: readonly number[]): Promise<void> {
  const servers = ports.map((port) => createServer({ allowHalfOpen: true }).listen(port, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const program = [process.execPath, "--disable-warning=ExperimentalWarning", DOOR];
  const child = spawn("nsenter", [...entering(anchor), ...program], {
    detached: true,
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const ended = once(child, "exit").then(() => {
    throw new Error("the process of the cluster's doors ended while they were opened");
  });
  for (const [index, port] of ports.entries()) {
    const order: DoorOrder = { port };
    child.send(order, servers[index]);
    await Promise.race([once(child, "message"), ended]);
  }
  ended.catch(() => undefined);
  // From here on it needs nobody; the end of the cluster ends it.
  child.disconnect();
  child.unref();
  for (const server of servers) server.close();
}

const DOOR = join(import.meta.dirname, "door", "main.ts");
