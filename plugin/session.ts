import { CITIES, type City } from "../crds/city.ts";
import { COMPONENT_LABEL, type Lease } from "../crds/lease.ts";
import type { Pod } from "../operator/workers/pod-evidence.ts";
import type { WorkerView } from "../operator/workers/roster.ts";
import type { Clock } from "../runtime/clock.ts";
import { OperationalError, isOperational } from "../runtime/errors.ts";
import type { EventObject, EventSubject } from "../runtime/kube/event-series.ts";
import { createEventRecorder } from "../runtime/kube/events.ts";
import type { KubeClient } from "../runtime/kube/kube-api.ts";
import { listAll } from "../runtime/kube/list-all.ts";
import { EVENTS, LEASES, PODS, type KubeObject, type Resource } from "../runtime/kube/resources.ts";
import { silentLog } from "../runtime/log.ts";
import type { Picture } from "./picture.ts";

/** One run of one command: the cluster that it works on, and the terminal that it speaks to. */

export type Session = {
  readonly kube: KubeClient;
  readonly namespace: string;
  readonly clock: Clock;
  /** What was asked for. */
  readonly print: (line: string) => void;
  /** What is told beside it. */
  readonly tell: (line: string) => void;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
};

const SELF_SUBJECT_REVIEWS: Resource = {
  group: "authentication.k8s.io",
  version: "v1",
  plural: "selfsubjectreviews",
  kind: "SelfSubjectReview",
  namespaced: false,
};
const LOOK_INTERVAL_MS = 200;
const PAGE_SIZE = 1_000;

export function refusal(code: string, message: string): OperationalError {
  return new OperationalError({ code, remedy: "give-up", message });
}

export async function takePicture(session: Session): Promise<Picture> {
  const list = async <T extends KubeObject>(resource: Resource, component?: string) => {
    const options = {
      namespace: session.namespace,
      limit: PAGE_SIZE,
      ...(component === undefined ? {} : { labelSelector: `${COMPONENT_LABEL}=${component}` }),
    };
    const { items } = await listAll<T>({ client: session.kube, resource, options }, session.signal);
    return items;
  };
  const [cities, cityLeases, workerLeases, pods] = await Promise.all([
    list<City>(CITIES),
    list<Lease>(LEASES, "city"),
    list<Lease>(LEASES, "worker"),
    // Whoever may not read Pods sees a worker's end a little later, as the operator does.
    list<Pod>(PODS, "worker").catch((error: unknown) => {
      if (isOperational(error, "kube-forbidden")) return [];
      throw error;
    }),
  ]);
  return { nowMs: session.clock.wallMs(), cities, cityLeases, workerLeases, pods };
}

export async function readCity({ kube, namespace, signal }: Session, name: string): Promise<City> {
  const city = await kube.get<City>(CITIES, { namespace, name }, signal);
  if (city !== undefined) return city;
  const { items } = await kube.list<City>(CITIES, { namespace, limit: 20 }, signal);
  const known = items.map(({ metadata }) => metadata.name).join(", ");
  throw refusal(
    "city-unknown",
    `there is no City ${name} in namespace ${namespace}${known === "" ? "" : `; there are: ${known}`}`,
  );
}

/** The worker with this id, this Pod, or this end of its id. */
export function findWorker(workers: ReadonlyMap<string, WorkerView>, name: string): WorkerView {
  const present = [...workers.values()].filter(({ liveness }) => liveness !== "gone");
  const exact = present.filter(({ id, pod }) => id === name || pod === name);
  const found =
    exact.length > 0
      ? exact
      : present.filter(({ id, pod }) => [id, pod].some((text) => text.endsWith(`-${name}`)));
  const [worker, another] = found;
  if (worker !== undefined && another === undefined) return worker;
  const names = (another === undefined ? present : found).map(({ id }) => id).toSorted();
  throw refusal(
    "worker-unknown",
    another === undefined
      ? `there is no worker ${name}${names.length === 0 ? ", nor any other" : `; there are: ${names.join(", ")}`}`
      : `${name} could be each of ${names.join(", ")}`,
  );
}

/** Events of one object of ours, oldest first, with the time at which each was last seen. */
export async function readEvents(
  session: Session,
  kind: string,
  name: string,
): Promise<readonly EventObject[]> {
  const { items } = await listAll<EventObject>(
    {
      client: session.kube,
      resource: EVENTS,
      options: {
        namespace: session.namespace,
        limit: PAGE_SIZE,
        fieldSelector: `regarding.kind=${kind},regarding.name=${name}`,
      },
    },
    session.signal,
  );
  return items.toSorted((left, right) => (eventTime(left) < eventTime(right) ? -1 : 1));
}

/** RFC 3339. */
export function eventTime({ series, eventTime: first, metadata }: EventObject): string {
  return series?.lastObservedTime ?? first ?? metadata.creationTimestamp ?? "";
}

/** Who the API server takes us for. */
export async function whoAmI({ kube, signal }: Session): Promise<string> {
  const review = await kube.create<
    KubeObject & { readonly status?: { readonly userInfo?: { readonly username?: string } } }
  >(SELF_SUBJECT_REVIEWS, { metadata: { name: "" } }, signal);
  return review.status?.userInfo?.username ?? "somebody without a name";
}

/** Tells everybody what was done and by whom. The deed is done: an Event that cannot be written is only said. */
export async function recordDeed(
  session: Session,
  deed: { readonly regarding: EventSubject; readonly reason: string; readonly words: string },
): Promise<void> {
  const who = await whoAmI(session).catch(() => "somebody the API server does not name");
  const recorder = createEventRecorder({
    client: session.kube,
    clock: session.clock,
    log: silentLog,
    reportingController: "dispatch.city/kubectl-city",
    reportingInstance: who,
  });
  const { regarding, reason, words } = deed;
  recorder.record({
    regarding,
    reason,
    action: reason,
    note: `by ${who}: kubectl city ${words}`,
    type: "Normal",
  });
  await recorder.close();
  if (recorder.dropped > 0)
    session.tell("it is done, but its Event was refused: who did it stands in managedFields only");
}

/** Looks until there is an answer. Undefined: there was none within the limit. */
export async function lookUntil<Answer>(
  { clock, signal }: Session,
  limitMs: number,
  look: () => Promise<Answer | undefined>,
): Promise<Answer | undefined> {
  const deadlineMs = clock.monotonicMs() + limitMs;
  for (;;) {
    const answer = await look();
    if (answer !== undefined || clock.monotonicMs() >= deadlineMs) return answer;
    await clock.sleep(LOOK_INTERVAL_MS, signal);
  }
}
