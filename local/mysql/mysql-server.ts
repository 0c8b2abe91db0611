import { existsSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { OperationalError } from "../../runtime/errors.ts";
import { startChild, type Child } from "../process/child.ts";
import { copyDataTemplate, DATA_SETTINGS, runAs } from "./data-template.ts";
import { ensureServerBinary, type ServerBinary } from "./server-binary.ts";

/** One real MySQL server on loopback, for a demo or a test: small in memory, but with the durable commits of production. */
export type MysqlServer = {
  /** The administrator's URL, without a database: no password, reachable from this machine only. */
  readonly url: string;
  readonly port: number;
  readonly socket: string;
  readonly directory: string;
  /** The process that runs now; another one after `restart`. */
  readonly child: Child;
  /** Ends in order, with everything on disk. */
  stop(): Promise<void>;
  /** SIGKILL: what a power cut of the process does. */
  kill(): Promise<void>;
  /** Starts again on the same port and data, after `stop` or `kill` or instead of them. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers, until `thaw`. */
  freeze(): void;
  thaw(): void;
};

/** Another network than that of this process. */
export type Place = {
  readonly start: typeof startChild;
  /** To listen on, besides the loopback. */
  readonly address: string;
};

/** A clean start takes one second, recovery after a kill some more. */
const READY_LIMIT_MS = 60_000;
const READY_POLL_MS = 30;
const CONNECT_LIMIT_MS = 2_000;
const STOP_GRACE_MS = 30_000;
const LOG_LINES_MAX = 15;
/** The longest path of a Unix socket, with its final zero. */
const SOCKET_PATH_BYTES_MAX = 107;
/** Below the range from which systems take ports for outgoing connections: a restart must find its port free. */
const PORT_MIN = 20_000;
const PORT_MAX = 32_000;
const PORT_ATTEMPTS_MAX = 100;

/**
 * Starts a server on `directory`, which keeps its data; a directory without data gets a fresh copy of the template.
 * About one second; the very first on a machine also fetches the server. Errors: `mysql-missing`, `mysql-install`, `mysql-start`.
 */
export async function startMysql(
  input: {
    readonly directory: string;
    readonly progress: (line: string) => void;
    readonly port?: number;
    /** Where the server runs instead of on this machine's loopback; `port` must be given and lead there. */
    readonly place?: Place;
  },
  signal: AbortSignal = new AbortController().signal,
): Promise<MysqlServer> {
  const { directory } = input;
  const binary = await ensureServerBinary(input.progress, signal);
  await mkdir(directory, { recursive: true });
  const data = join(directory, "data");
  if (!existsSync(data)) await copyDataTemplate({ binary, target: data, progress: input.progress }, signal);
  const port = input.port ?? (await freePort());
  const socket = socketPath(directory, port);
  const url = `mysql://root@127.0.0.1:${port}`;
  const run = async (): Promise<Child> => {
    const child = startServer({ binary, directory, port, socket, place: input.place });
    await awaitReady({ child, url, socket }, signal);
    return child;
  };
  let child = await run();
  const kill = async (): Promise<void> => {
    await child.stop({ signal: "SIGKILL" });
  };
  const stop = async (): Promise<void> => {
    await child.stop({ graceMs: STOP_GRACE_MS });
    await rm(socket, { force: true });
  };
  return {
    url,
    port,
    socket,
    directory,
    get child() {
      return child;
    },
    stop,
    kill,
    async restart() {
      await stop();
      child = await run();
    },
    freeze: () => {
      child.signal("SIGSTOP");
    },
    thaw: () => {
      child.signal("SIGCONT");
    },
  };
}

function startServer(input: {
  readonly binary: ServerBinary;
  readonly directory: string;
  readonly port: number;
  readonly socket: string;
  readonly place: Place | undefined;
}): Child {
  const { binary, directory, port, socket, place } = input;
  const addresses = ["127.0.0.1", ...(place === undefined ? [] : [place.address])];
  const defaults = binary.args.includes("--no-defaults") ? [] : ["--no-defaults"];
  return (place?.start ?? startChild)({
    name: "mysqld",
    command: binary.command,
    args: [
      ...binary.args,
      ...defaults,
      ...DATA_SETTINGS,
      ...runAs(),
      `--datadir=${join(directory, "data")}`,
      `--pid-file=${join(directory, "mysqld.pid")}`,
      `--socket=${socket}`,
      `--port=${port}`,
      `--bind-address=${addresses.join(",")}`,
      "--skip-name-resolve",
      "--mysqlx=OFF",
      "--secure-file-priv=",
      "--default-time-zone=+00:00",
      "--max-connections=500",
      // Small, so that it leaves a laptop's memory alone; how commits reach the disk stays as MySQL has it by default.
      "--performance-schema=OFF",
      "--innodb-buffer-pool-size=128M",
      "--table-open-cache=400",
    ],
    logFile: join(directory, "mysqld.log"),
  });
}

async function awaitReady(
  input: { readonly child: Child; readonly url: string; readonly socket: string },
  signal: AbortSignal,
): Promise<void> {
  const { child } = input;
  const deadlineMs = performance.now() + READY_LIMIT_MS;
  while (performance.now() < deadlineMs && !child.hasExited()) {
    if ((await socketServedAt(input.url)) === input.socket) return;
    try {
      await sleep(READY_POLL_MS, undefined, { signal });
    } catch (error) {
      await child.stop({ signal: "SIGKILL" });
      throw error;
    }
  }
  const because = child.hasExited() ? "it ended" : `it did not answer within ${READY_LIMIT_MS / 1000} s`;
  await child.stop({ signal: "SIGKILL" });
  const log = (await readFile(child.logFile, "utf8").catch(() => "")).trim().split("\n");
  throw new OperationalError({
    code: "mysql-start",
    remedy: "give-up",
    message: `MySQL did not start: ${because}; the end of ${child.logFile}:\n${log.slice(-LOG_LINES_MAX).join("\n")}`,
  });
}

/** The Unix socket of whoever answers at `url`: it tells our server from a stranger on the same port. */
async function socketServedAt(url: string): Promise<string | undefined> {
  try {
    const connection = await createConnection({ uri: url, connectTimeout: CONNECT_LIMIT_MS });
    try {
      const [rows] = await connection.query<RowDataPacket[]>("SELECT @@socket AS socket");
      return String(rows[0]?.["socket"]);
    } finally {
      connection.destroy();
    }
  } catch {
    return undefined;
  }
}

function socketPath(directory: string, port: number): string {
  const beside = join(directory, "mysqld.sock");
  if (Buffer.byteLength(beside) <= SOCKET_PATH_BYTES_MAX) return beside;
  return join(tmpdir(), `city-operator-mysql-${port}.sock`);
}

async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < PORT_ATTEMPTS_MAX; attempt++) {
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN));
    if (await isFree(port)) return port;
  }
  throw new OperationalError({
    code: "mysql-start",
    remedy: "retry",
    message: `no free port between ${PORT_MIN} and ${PORT_MAX}`,
  });
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  const outcome = Promise.withResolvers<boolean>();
  probe.once("error", () => {
    outcome.resolve(false);
  });
  probe.listen(port, "127.0.0.1", () => {
    probe.close(() => {
      outcome.resolve(true);
    });
  });
  return await outcome.promise;
}
