import { openDatabase, type Database } from "../../db/pool.ts";
import { openStory } from "../../db/story.ts";
import { systemClock } from "../../runtime/clock.ts";
import { EnvironmentReader } from "../../runtime/environment.ts";
import { OperationalError } from "../../runtime/errors.ts";
import { createLog } from "../../runtime/log.ts";
import { failureText, shutdownSignals } from "../../runtime/shutdown.ts";
import { findStory } from "../../db/story/find.ts";
import { tellStory } from "../../db/story/tell.ts";

/** Tells an order's whole story, from any database by its URL; only reads. `make explain ORDER=… DATABASE_URL=… [CITY=…]`;
 * with CITY alone it names orders to ask for. */

const log = createLog({ process: "explain", level: "warn" });
const NAMED_MAX = 10;

async function explain(database: Database, order: string, given: string | undefined): Promise<void> {
  const { draining } = shutdownSignals(process, log);
  const story = await openStory(database, draining);
  const cities = given === undefined ? await story.findCities(order) : [given];
  const [city, another] = cities;
  if (city === undefined || another !== undefined) {
    throw new OperationalError({
      code: "order-unknown",
      remedy: "give-up",
      message:
        city === undefined
          ? `no view shows order ${order} (any more): say its city with CITY=…`
          : `cities ${cities.join(", ")} each have an order ${order}: say which with CITY=…`,
    });
  }
  const lines = tellStory(await findStory(story, city, order));
  process.stdout.write(`order ${order} of ${city}, times in UTC\n\n`);
  process.stdout.write(lines.length === 0 ? "nothing is known of it\n" : `${lines.join("\n")}\n`);
}

async function nameOrders(database: Database, city: string): Promise<void> {
  const { draining } = shutdownSignals(process, log);
  const orders = await (await openStory(database, draining)).latestOpenOrders(city, NAMED_MAX);
  process.stdout.write(
    orders.length === 0
      ? `${city} has no open order\n`
      : `open orders of ${city}, the latest first; say one of them as ORDER=…\n\n${orders.join("\n")}\n`,
  );
}

async function main(): Promise<void> {
  const environment = new EnvironmentReader(process.env);
  const city = environment.optional("CITY");
  const order =
    city === undefined ? environment.text("ORDER", "the order's id") : environment.optional("ORDER");
  const url = environment.text(
    "DATABASE_URL",
    "mysql://user:password@host:3306/dispatch, an account that may read",
  );
  environment.finish();
  const database = openDatabase({ url, connectionsMax: 1, log, clock: systemClock });
  try {
    if (order !== undefined) await explain(database, order, city);
    else if (city !== undefined) await nameOrders(database, city);
  } finally {
    await database.close();
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${failureText(error)}\n`);
  process.exitCode = 1;
}
