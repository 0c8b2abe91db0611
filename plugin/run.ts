import { audit, formatAuditReport } from "../db/audit.ts";
import type { Database } from "../db/pool.ts";
import { drain, overrideDispatcher, pin, suspend } from "./actions.ts";
import { orderAuthority, showAuthority } from "./authority.ts";
import type { Order } from "./commands.ts";
import { conditionOf, fleetViewOf, type Picture } from "./picture.ts";
import { forecast, newcomers, suppose } from "./plan.ts";
import { planLines } from "./plan-lines.ts";
import { findWorker, readCity, readEvents, takePicture, type Session } from "./session.ts";
import { topLines } from "./top.ts";
import { whyLines } from "./why.ts";

/** Carries out one order. The exit code: 1 where what was asked for shows trouble. Refusals and failures are errors. */

export type Surroundings = {
  /** The database of DATABASE_URL; throws when that is not set. Closed by whoever opened it. */
  readonly openDatabase: () => Database;
  /** Shows a page in the place of the one before. */
  readonly draw: (lines: readonly string[]) => void;
  /** How many lines a page has. */
  readonly pageLines: () => number;
  /** Runs another main of the product with these variables. Its exit code. */
  readonly runMain: (
    main: "explain" | "replay",
    variables: Readonly<Record<string, string | undefined>>,
  ) => Promise<number>;
};

const TOP_INTERVAL_MS = 2_000;
/** The summary, headings and empty lines of a page. */
const TOP_OTHER_LINES = 7;

export async function perform(order: Order, session: Session, surroundings: Surroundings): Promise<number> {
  switch (order.kind) {
    case "top":
      return top(order.once, session, surroundings);
    case "why": {
      const city = await readCity(session, order.city);
      const events = await readEvents(session, "City", order.city);
      print(session, whyLines(await takePicture(session), city, events));
      return conditionOf(city, "Ready")?.status === "True" ? 0 : 1;
    }
    case "plan":
      plan(order, session, await takePicture(session));
      return 0;
    case "suspend":
    case "resume":
      await suspend(session, order.city, order.kind === "suspend", order);
      return 0;
    case "pin":
      await pin(session, order.city, order.to, order);
      return 0;
    case "dispatcher":
      await overrideDispatcher(session, order.city, order.override, order);
      return 0;
    case "drain":
      await drain(session, order.worker, !order.ends, order);
      return 0;
    case "explain":
      return surroundings.runMain("explain", { ORDER: order.order, CITY: order.city });
    case "replay":
      return surroundings.runMain("replay", {
        FILE: order.file,
        DISPATCHER: order.dispatcher,
        PARAMETERS: order.parameters,
        DISPATCHERS: order.dispatchers,
      });
    case "authority-show":
    case "authority-take":
    case "audit":
      return withDatabase(order, session, surroundings.openDatabase());
    default:
      return order satisfies never;
  }
}

function print(session: Session, lines: readonly string[]): void {
  for (const line of lines) session.print(line);
}

async function top(isOnce: boolean, session: Session, surroundings: Surroundings): Promise<number> {
  if (isOnce) {
    print(session, topLines(await takePicture(session), Infinity));
    return 0;
  }
  while (!session.signal.aborted) {
    try {
      const picture = await takePicture(session);
      const room = surroundings.pageLines() - TOP_OTHER_LINES - picture.workerLeases.length;
      surroundings.draw(topLines(picture, Math.max(5, room)));
      await session.clock.sleep(TOP_INTERVAL_MS, session.signal);
    } catch (error) {
      // Ctrl-C is how it ends.
      if (!session.signal.aborted) throw error;
    }
  }
  return 0;
}

function plan(order: Order & { readonly kind: "plan" }, session: Session, picture: Picture): void {
  const view = fleetViewOf(picture);
  const idsOf = (names: readonly string[]): string[] =>
    names.map((name) => findWorker(view.workers, name).id);
  const supposed = suppose(view, {
    lost: idsOf(order.without),
    drained: idsOf(order.drained),
    joined: newcomers(view, order.pool, order.joined),
  });
  print(session, planLines(view, forecast(supposed)));
}

async function withDatabase(
  order: Order & { readonly kind: "authority-show" | "authority-take" | "audit" },
  session: Session,
  database: Database,
): Promise<number> {
  try {
    switch (order.kind) {
      case "authority-show":
        await showAuthority(session, database);
        return 0;
      case "authority-take":
        await orderAuthority(session, database, order.isMeant);
        return 0;
      case "audit": {
        const report = await audit(database, session.signal);
        session.print(formatAuditReport(report));
        return report.isClean ? 0 : 1;
      }
      default:
        return order satisfies never;
    }
  } finally {
    await database.close();
  }
}
