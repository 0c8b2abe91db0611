import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";
import { openDatabase } from "../../db/pool.ts";
import { listRecords, readRecord } from "../../db/story.ts";
import { systemClock } from "../../runtime/clock.ts";
import { EnvironmentReader } from "../../runtime/environment.ts";
import { OperationalError } from "../../runtime/errors.ts";
import { createLog } from "../../runtime/log.ts";
import { failureText, shutdownSignals } from "../../runtime/shutdown.ts";
import type { DispatchParameters } from "../dispatch/model.ts";
import { createLoader } from "../dispatchers/load.ts";
import { decodeRecord } from "./record.ts";
import { differences, replay } from "./replay.ts";

/** Exports recorded ticks and decides them again: see USAGE. Exit code 0: the same, 1: failed or differs, 2: wrong usage. */

const USAGE = `usage: node worker/records/main.ts record | replay

  record                       write one recorded tick to a file (zstd of JSON)
      CITY, TICK, OUT, DATABASE_URL
  replay                       decide it again, and print what differs; exit code 1 when something does
      FILE                     what record wrote
      PARAMETERS               a JSON file of parameters to change, such as {"bundleOrdersMax": 1}
      DISPATCHER, DISPATCHERS  another dispatcher, and the folder of your own
`;

const decompress = promisify(zstdDecompress);
const environment = new EnvironmentReader(process.env);
const log = createLog({ process: "records", level: "warn" });

async function record(signal: AbortSignal): Promise<number> {
  const city = environment.text("CITY", "the City's name");
  const tick = BigInt(environment.integer("TICK", { min: 1, max: Number.MAX_SAFE_INTEGER }, 1));
  const out = environment.text("OUT", "the file to write");
  const url = environment.text(
    "DATABASE_URL",
    "mysql://user:password@host:3306/dispatch, an account that may read",
  );
  environment.finish();
  const database = openDatabase({ url, connectionsMax: 1, log, clock: systemClock });
  try {
    const bytes = await readRecord(database, { city, tick }, signal);
    if (bytes === undefined) {
      const ticks = await listRecords(database, city, signal);
      throw new OperationalError({
        code: "record-missing",
        remedy: "give-up",
        message: `tick ${tick} of ${city} is not recorded; ${ticks.length === 0 ? "none is: set spec.recordPercent of the City" : `the latest are ${ticks.join(", ")}`}`,
      });
    }
    await writeFile(out, bytes);
    tell(`wrote ${out}, ${bytes.length} bytes`);
    return 0;
  } finally {
    await database.close();
  }
}

async function replayFile(): Promise<number> {
  const file = environment.text("FILE", "what record wrote");
  const parametersFile = environment.optional("PARAMETERS");
  const dispatcher = environment.optional("DISPATCHER");
  const folder = environment.optional("DISPATCHERS");
  environment.finish();
  const recorded = decodeRecord((await decompress(await readFile(file))).toString());
  const parameters =
    parametersFile === undefined
      ? {}
      : (JSON.parse(await readFile(parametersFile, "utf8")) as Partial<DispatchParameters>);
  const load = createLoader(folder === undefined ? undefined : resolve(folder));
  const verdict = await replay(recorded, { dispatcher, parameters }, load);
  const lines = differences(recorded, verdict);
  const what = `tick ${recorded.tick} of ${recorded.city}, decided by ${recorded.dispatcher} of version ${recorded.version}`;
  if (lines.length === 0) {
    process.stdout.write(`${what}: the same ${verdict.result.decisions.length} decisions by ${verdict.by}\n`);
    return 0;
  }
  process.stdout.write(`${what}: replayed by ${verdict.by} it differs\n\n${lines.join("\n")}\n`);
  return 1;
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

const [command, ...rest] = process.argv.slice(2);
if ((command !== "record" && command !== "replay") || rest.length > 0) {
  tell(USAGE);
  process.exitCode = 2;
} else {
  try {
    const { draining } = shutdownSignals(process, log);
    process.exitCode = command === "record" ? await record(draining) : await replayFile();
  } catch (error) {
    tell(failureText(error));
    process.exitCode = 1;
  }
}
