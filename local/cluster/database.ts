import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { createConnection } from "mysql2/promise";
import { startMysql, type MysqlServer } from "../mysql/mysql-server.ts";
import { NODE_ADDRESS } from "./addresses.ts";
import type { Cluster } from "./cluster.ts";

/** A MySQL server inside a cluster's network, for its pods, as a managed database would be beside a real one. */
export type ClusterDatabase = {
  /** `url`: its administrator's, for programs of the machine. */
  readonly server: MysqlServer;
  /** How pods reach it. The account may do everything that a migration has to. */
  readonly forPods: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
  };
};

const ADMIN = "admin";

/** `port` is one of the cluster's doors, on which nobody listens yet. Errors: those of `startMysql`. */
export async function startClusterDatabase(
  input: {
    readonly cluster: Pick<Cluster, "directory" | "enclosure">;
    readonly port: number;
    readonly progress: (line: string) => void;
  },
  signal: AbortSignal,
): Promise<ClusterDatabase> {
  const { cluster, port, progress } = input;
  const place = { start: cluster.enclosure.start, address: NODE_ADDRESS };
  const directory = join(cluster.directory, "mysql");
  const server = await startMysql({ directory, port, place, progress }, signal);
  const password = randomBytes(12).toString("hex");
  const connection = await createConnection({ uri: server.url });
  try {
    await connection.query(`CREATE USER ${ADMIN}@'%' IDENTIFIED BY ?`, [password]);
    await connection.query(`GRANT ALL ON *.* TO ${ADMIN}@'%' WITH GRANT OPTION`);
  } finally {
    await connection.end();
  }
  return { server, forPods: { host: NODE_ADDRESS, port, user: ADMIN, password } };
}
