import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";
import type { StoryDatabase, StoryTick } from "../story.ts";
import { decodeHead, findExplanation } from "./explanation-lines.ts";
import type { StoryFacts, TickOfOrder } from "./tell.ts";

const decompress = promisify(zstdDecompress);
/** The order's own time and that of the commits are of two clocks where a company's services write the first. */
const CLOCK_TOLERANCE_MS = 60_000;

/**
 * All that the database says about one order, from at most `ticksMax` ticks since it was placed. Errors: those of Database.
 */
export async function findStory(
  story: StoryDatabase,
  city: string,
  order: string,
  ticksMax = Infinity,
): Promise<StoryFacts> {
  const open = await story.findOpenOrder(city, order);
  const reference = await story.findReferenceOrder(city, order);
  const assignments = await story.findReferenceAssignments(city, order);
  const placedAtMs = (reference ?? open)?.placedAtMs;
  const ticks: TickOfOrder[] = [];
  let ticksRead = 0;
  for await (const tick of story.readTicks(city, (placedAtMs ?? CLOCK_TOLERANCE_MS) - CLOCK_TOLERANCE_MS)) {
    if (ticksRead === ticksMax) return { ticks, open, reference, assignments, unreadAfter: ticksRead };
    ticksRead++;
    const found = await findInTick(tick, order);
    if (found !== undefined) ticks.push(found);
  }
  return { ticks, open, reference, assignments, unreadAfter: undefined };
}

async function findInTick(tick: StoryTick, order: string): Promise<TickOfOrder | undefined> {
  const dropped = tick.dropped.filter((decision) => decision.order === order);
  const text = tick.explanations === undefined ? undefined : (await decompress(tick.explanations)).toString();
  const explanation = text === undefined ? undefined : findExplanation(text, order);
  const refused =
    text === undefined ? [] : decodeHead(text).refused.filter(({ decision }) => decision.order === order);
  if (explanation === undefined && dropped.length === 0 && refused.length === 0) return undefined;
  const { committedAtMs, dispatcher, leftOut } = tick;
  return { tick: tick.tick, committedAtMs, dispatcher, leftOut, explanation, dropped, refused };
}
