import { CITIES, CITY_API_VERSION, type City, type CitySpec } from "../crds/city.ts";
import { formatDuration } from "../crds/duration.ts";
import { DRAIN_ANNOTATION, cityLeaseName, decodeAssignment, type Lease } from "../crds/lease.ts";
import { isCalled } from "../crds/mitigations.ts";
import type { WorkerView } from "../operator/workers/roster.ts";
import { LEASES, PODS } from "../runtime/kube/resources.ts";
import type { Pod } from "../operator/workers/pod-evidence.ts";
import { conditionOf, fleetViewOf } from "./picture.ts";
import {
  findWorker,
  lookUntil,
  readCity,
  recordDeed,
  refusal,
  takePicture,
  type Session,
} from "./session.ts";

/**
 * What a person does to cities and workers. Each is one change of one object that kubectl could make as well; then it is waited for
 * until the operator has carried it out.
 */

export type Waiting = {
  /** How long to wait for the operator; 0: not at all. */
  readonly waitMs: number;
};

export async function suspend(
  session: Session,
  name: string,
  isSuspended: boolean,
  { waitMs }: Waiting,
): Promise<void> {
  const words = `${isSuspended ? "suspend" : "resume"} ${name}`;
  const city = await readCity(session, name);
  const generation = await change(
    session,
    city,
    { suspend: isSuspended },
    isSuspended ? "Suspended" : "Resumed",
    words,
  );
  await settle(session, words, waitMs, async () => {
    const present = await readCity(session, name);
    if (present.status?.observedGeneration !== generation) return undefined;
    const condition = conditionOf(present, isSuspended ? "Suspended" : "Ready");
    return condition?.status === "True" ? `${name}: ${condition.message}` : undefined;
  });
}

/** `forMs` undefined: the pin ends. */
export async function pin(
  session: Session,
  name: string,
  to: { readonly worker: string; readonly forMs: number } | undefined,
  command: { readonly words: string } & Waiting,
): Promise<void> {
  const city = await readCity(session, name);
  if (to === undefined) {
    await change(session, city, { pin: null }, "Unpinned", command.words);
    session.print(`${name}: not pinned any more; it stays where it is until there is a reason to move it`);
    return;
  }
  const { workers } = fleetViewOf(await takePicture(session));
  const worker = findWorker(workers, to.worker);
  requireTaker(city, worker);
  const until = untilText(session, to.forMs);
  // Given by its Pod a worker is found again after its process was started anew.
  const called = isCalled(worker, to.worker) ? to.worker : worker.id;
  await change(session, city, { pin: { worker: called, until } }, "Pinned", command.words);
  await settle(session, command.words, command.waitMs, async () => {
    const present = await readCity(session, name);
    const holder = present.status?.assignment?.worker;
    return holder === worker.id ? `${name}: held by ${holder}, pinned there until ${until}` : undefined;
  });
}

/** A pin that cannot do anything now is most likely a mistake; who means it writes spec.pin. */
function requireTaker({ metadata: { name }, spec }: City, worker: WorkerView): void {
  if (spec.suspend) throw refusal("city-suspended", `${name} is suspended, nobody holds it: resume it first`);
  if (worker.pool !== spec.workerPool)
    throw refusal(
      "pool-differs",
      `${worker.id} is in pool "${worker.pool}", and ${name} in "${spec.workerPool}"`,
    );
  if (worker.liveness !== "live")
    throw refusal(
      "worker-not-live",
      `${worker.id} is ${worker.liveness} and is given no cities: choose another`,
    );
}

export async function overrideDispatcher(
  session: Session,
  name: string,
  override: { readonly dispatcher: string; readonly forMs: number } | undefined,
  command: { readonly words: string } & Waiting,
): Promise<void> {
  const city = await readCity(session, name);
  const until = untilText(session, override?.forMs ?? 0);
  const dispatcherOverride = override === undefined ? null : { dispatcher: override.dispatcher, until };
  const reason = override === undefined ? "DispatcherRestored" : "DispatcherOverridden";
  await change(session, city, { dispatcherOverride }, reason, command.words);
  if (city.spec.suspend) {
    session.print(`${name}: changed; it is suspended, so nobody decides before it is resumed`);
    return;
  }
  const dispatcher = override?.dispatcher ?? city.spec.dispatcher;
  await settle(session, command.words, command.waitMs, async () => {
    const ref = { namespace: session.namespace, name: cityLeaseName(name) };
    const lease = await session.kube.get<Lease>(LEASES, ref, session.signal);
    const assignment = lease === undefined ? undefined : decodeAssignment(lease);
    if (assignment?.task?.dispatcher !== dispatcher) return undefined;
    const end = override === undefined ? "" : ` until ${until}`;
    return `${name}: "${dispatcher}" decides${end}, ordered with token ${assignment.token}`;
  });
}

export async function drain(
  session: Session,
  name: string,
  isDraining: boolean,
  command: { readonly words: string } & Waiting,
): Promise<void> {
  const worker = findWorker(fleetViewOf(await takePicture(session)).workers, name);
  const ref = { namespace: session.namespace, name: worker.pod };
  const pod = await session.kube.get<Pod>(PODS, ref, session.signal);
  if (pod === undefined) {
    throw refusal(
      "worker-without-pod",
      `${worker.id} runs in no Pod of namespace ${session.namespace}, so there is nothing to annotate: send it SIGTERM`,
    );
  }
  const patch = { metadata: { annotations: { [DRAIN_ANNOTATION]: isDraining ? "true" : null } } };
  await session.kube.patch<Pod>(PODS, ref, patch, session.signal);
  const uid = pod.metadata.uid;
  await recordDeed(session, {
    regarding: { apiVersion: "v1", kind: "Pod", ...ref, ...(uid === undefined ? {} : { uid }) },
    reason: isDraining ? "Drained" : "DrainEnded",
    words: command.words,
  });
  if (!isDraining) {
    session.print(`${worker.id}: may be given cities again`);
    return;
  }
  await settle(session, command.words, command.waitMs, async () => {
    const { cityLeases } = await takePicture(session);
    const held = cityLeases.filter(({ spec }) => spec?.holderIdentity === worker.id).length;
    if (held > 0) return undefined;
    return `${worker.id}: holds nothing, and is given nothing until "kubectl city drain ${worker.pod} --end"`;
  });
}

/** Returns the generation that the change made. */
async function change(
  session: Session,
  city: City,
  spec: { readonly [Field in keyof CitySpec]?: CitySpec[Field] | null },
  reason: string,
  words: string,
): Promise<number | undefined> {
  const { name, uid } = city.metadata;
  const ref = { namespace: session.namespace, name };
  const changed = await session.kube.patch<City>(CITIES, ref, { spec }, session.signal);
  if (changed.metadata.generation === city.metadata.generation) {
    session.tell(`${name} is specified so already: nothing was changed`);
  } else {
    const regarding = {
      apiVersion: CITY_API_VERSION,
      kind: "City",
      ...ref,
      ...(uid === undefined ? {} : { uid }),
    };
    await recordDeed(session, { regarding, reason, words });
  }
  return changed.metadata.generation;
}

async function settle(
  session: Session,
  words: string,
  waitMs: number,
  look: () => Promise<string | undefined>,
): Promise<void> {
  if (waitMs === 0) {
    session.print(`ordered: ${words}`);
    return;
  }
  const done = await lookUntil(session, waitMs, look);
  if (done === undefined) {
    throw refusal(
      "not-yet",
      `ordered, but the operator has not carried it out within ${formatDuration(waitMs)}: "kubectl city why" tells more`,
    );
  }
  session.print(done);
}

/** RFC 3339, whole seconds. */
function untilText({ clock }: Session, forMs: number): string {
  return new Date(clock.wallMs() + forMs).toISOString().replace(/\.[0-9]+Z$/, "Z");
}
