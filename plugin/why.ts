import type { City } from "../crds/city.ts";
import { formatDuration } from "../crds/duration.ts";
import { isInForce } from "../crds/mitigations.ts";
import type { AssignReason } from "../operator/cities/place.ts";
import { patienceMs } from "../operator/cities/setbacks.ts";
import type { CityView, FleetView } from "../operator/cities/view.ts";
import type { WorkerView } from "../operator/workers/roster.ts";
import type { EventObject } from "../runtime/kube/event-series.ts";
import { conditionOf, fleetViewOf, type Picture } from "./picture.ts";
import { forecast, suppose, type Move } from "./plan.ts";
import { eventTime } from "./session.ts";
import { labelled, sinceText, table } from "./text.ts";

/** One city's present, told: who holds it, why there, what would move it, what happened last. Pure. */

const EVENTS_SHOWN = 10;

/** What an operator meant by a reason, in a sentence. */
const REASONS: Readonly<Record<AssignReason, string>> = {
  "new-city": "the City was new, and this worker was the least loaded of its pool",
  resumed: "the City was resumed, and this worker was the least loaded of its pool",
  "spec-changed": "the City was changed; it stayed with its worker",
  "pool-changed": "its last worker is in another pool",
  "holder-gone": "its last worker was gone",
  "holder-draining": "its last worker was drained",
  stalled: "it did not tick at its last worker",
  pinned: "a person pinned it there",
  isolation: "its last worker was cleared for a city that may kill workers",
  balance: "its last worker carried clearly more than this one",
};

export function whyLines(picture: Picture, city: City, events: readonly EventObject[]): string[] {
  const view = fleetViewOf(picture);
  const { name } = city.metadata;
  const seen = view.cities.find((candidate) => candidate.name === name);
  const ready = conditionOf(city, "Ready");
  return [
    ...labelled(name, ready === undefined ? "no operator has looked at it yet" : ready.message),
    ...conditionLines(city),
    "",
    ...holderLines(city, seen, view, picture.nowMs),
    ...commitLines(city, picture.nowMs),
    ...mitigationLines(city, picture.nowMs),
    "",
    "what would move it",
    ...(seen === undefined ? [] : moverLines(seen, view)),
    "",
    "what happened last",
    ...eventLines(events, picture.nowMs),
  ];
}

/** Those that are not as one wishes, beside Ready, which says the same as one of them. */
function conditionLines(city: City): string[] {
  const ready = conditionOf(city, "Ready");
  return (["Assigned", "Dispatching"] as const).flatMap((type) => {
    const condition = conditionOf(city, type);
    const isAsWished = condition === undefined || ["Assigned", "Ticking"].includes(condition.reason);
    if (isAsWished || condition.reason === ready?.reason) return [];
    return labelled("", `${type} ${condition.status}, ${condition.reason}: ${condition.message}`);
  });
}

function holderLines(city: City, seen: CityView | undefined, view: FleetView, nowMs: number): string[] {
  const { assignment } = city.status ?? {};
  const id = seen?.lease?.worker;
  if (id === undefined) return labelled("held by", "nobody");
  const because = seen?.lease?.because;
  const reason = because !== undefined && because in REASONS ? REASONS[because as AssignReason] : undefined;
  return [
    ...labelled("held by", `${id}, ${workerText(view.workers.get(id))}`),
    ...labelled(
      "for",
      `${sinceText(seen?.lease?.since, nowMs)}, under token ${seen?.lease?.token ?? assignment?.token}`,
    ),
    ...labelled(
      "why there",
      reason === undefined ? "an older operator did not say" : `${because}: ${reason}`,
    ),
  ];
}

function workerText(worker: WorkerView | undefined): string {
  if (worker === undefined) return "a worker that is not there any more";
  const database = worker.isDatabaseReachable ? "" : ", which does not reach its database";
  return `${worker.liveness}, pool ${worker.pool}, zone ${worker.zone}, version ${worker.version}${database}`;
}

function commitLines({ spec, status }: City, nowMs: number): string[] {
  const { progress } = status ?? {};
  if (progress === undefined) return labelled("last commit", "none yet");
  return labelled(
    "last commit",
    `tick ${progress.tick}, ${sinceText(progress.committedAt, nowMs)} ago; one is due every ${spec.period}`,
  );
}

function mitigationLines({ spec }: City, nowMs: number): string[] {
  const { pin, dispatcherOverride } = spec;
  const orders = [
    ...(spec.suspend ? ["suspended, until somebody resumes it"] : []),
    ...(pin !== undefined && isInForce(pin, nowMs) ? [`pinned to ${pin.worker} until ${pin.until}`] : []),
    ...(dispatcherOverride !== undefined && isInForce(dispatcherOverride, nowMs)
      ? [
          `"${dispatcherOverride.dispatcher}" decides in the place of "${spec.dispatcher}" until ${dispatcherOverride.until}`,
        ]
      : []),
  ];
  return labelled("for now", orders.length === 0 ? "no mitigation" : orders.join("; "));
}

/** The operator's own answers to what may happen to its holder. */
function moverLines(city: CityView, view: FleetView): string[] {
  const holder = city.lease?.worker;
  const present = forecast(view).moves.find((move) => move.city === city.name);
  const rows = [["as things are", moveText(present, holder === undefined ? "nobody gets it" : "it stays")]];
  if (holder !== undefined) {
    const ask = (change: "lost" | "drained"): Move | undefined => {
      const supposed = suppose(view, { lost: [], drained: [], joined: [], [change]: [holder] });
      return forecast(supposed).moves.find((move) => move.city === city.name);
    };
    rows.push(
      ["its worker is drained", moveText(ask("drained"), "it stays there: nobody could take it")],
      ["its worker dies", moveText(ask("lost"), "nobody could take it")],
      [
        "it does not tick",
        `for ${formatDuration(patienceMs(city))}: to another worker, unless most cities stall`,
      ],
    );
  } else if (city.isSuspended) rows.push(["it is resumed", "to the least loaded worker of its pool"]);
  return rows.map(([what = "", then = ""]) => `  ${what.padEnd(24)}${then}`);
}

function moveText(move: Move | undefined, otherwise: string): string {
  if (move === undefined) return otherwise;
  const after = move.afterSeconds === 0 ? "at once" : `after ${move.afterSeconds}s`;
  return `to ${move.to}, ${after}: ${move.because}`;
}

function eventLines(events: readonly EventObject[], nowMs: number): string[] {
  if (events.length === 0)
    return ["  nothing that the API server still knows of: it forgets Events, mostly after an hour"];
  const shown = events.slice(-EVENTS_SHOWN).toReversed();
  const rows = shown.map((event) => {
    const count = event.series?.count ?? 1;
    return [
      `  ${sinceText(eventTime(event), nowMs)}`,
      event.reason ?? "",
      `${event.note ?? ""}${count > 1 ? ` (${count} times)` : ""}`,
    ];
  });
  return table(["  AGE", "EVENT", "NOTE"], rows);
}
