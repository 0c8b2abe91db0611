import type { City } from "../crds/city.ts";
import { isOperational } from "../runtime/errors.ts";
import { noSpan, type Span, type Tracing } from "../runtime/tracing/span.ts";
import type { Done } from "./cities/act.ts";
import type { Decision } from "./cities/place.ts";
import type { CityView } from "./cities/view.ts";

/**
 * The operator's part of the trace of a change: from the moment at which it saw a City's new specification, or decided on a
 * move, to the write of the Lease. The Lease carries the trace on to the worker, which ends it with its first commit.
 */
export type ChangeTraces = {
  /** The City as it was just seen. */
  seen(city: City): void;
  forget(city: string): void;
  /** An act begins. A change whose first act fails goes on with the next one. */
  begin(latest: { readonly view: CityView; readonly decision: Decision }, round: RoundTimes): ActTrace;
};

/** Monotonic milliseconds of the round that decided. */
export type RoundTimes = { readonly startedMs: number; readonly decidedMs: number };

export type ActTrace = {
  /** Of the act, for the Lease. */
  readonly traceparent: string | undefined;
  done(done: Done): void;
  failed(error: unknown): void;
};

const untraced: ActTrace = {
  traceparent: undefined,
  done: () => undefined,
  failed: () => undefined,
};

const off: ChangeTraces = {
  seen: () => undefined,
  forget: () => undefined,
  begin: () => untraced,
};

/** What is open for a city: `cause` tells it from the next change or move. */
type OpenTrace = { readonly cause: string; readonly span: Span };

export function createChangeTraces(tracing: Tracing, nowMs: () => number): ChangeTraces {
  return tracing.isOn ? new RecordedChanges(tracing, nowMs) : off;
}

class RecordedChanges implements ChangeTraces {
  readonly #tracing: Tracing;
  readonly #nowMs: () => number;
  /** By city, when which generation was first seen. */
  readonly #seen = new Map<string, { readonly generation: number; readonly atMs: number }>();
  readonly #open = new Map<string, OpenTrace>();

  constructor(tracing: Tracing, nowMs: () => number) {
    this.#tracing = tracing;
    this.#nowMs = nowMs;
  }

  seen({ metadata: { name, generation = 0 } }: City): void {
    if (this.#seen.get(name)?.generation === generation) return;
    this.#seen.set(name, { generation, atMs: this.#nowMs() });
  }

  forget(city: string): void {
    this.#seen.delete(city);
    this.#close(city);
  }

  begin(latest: { readonly view: CityView; readonly decision: Decision }, round: RoundTimes): ActTrace {
    const { view, decision } = latest;
    if (decision.kind !== "adopt" && decision.kind !== "assign") return untraced;
    const change = this.#openFor(view, decision, round);
    change.child("decide", { "dispatch.decision": decision.kind }, round.startedMs).end(round.decidedMs);
    const span = change.child(decision.kind === "adopt" ? "write finalizer" : "write lease");
    return {
      traceparent: span.traceparent,
      done: (done) => {
        const told =
          done.kind === "assigned"
            ? { "dispatch.worker": done.assignment.worker, "dispatch.token": String(done.assignment.token) }
            : {};
        span.set(told);
        span.end();
        if (done.kind !== "assigned") return;
        change.set(told);
        this.#close(view.name);
      },
      failed: (error) => {
        span.fail(isOperational(error) ? error.code : "aborted", error);
        span.end();
      },
    };
  }

  #openFor(
    view: CityView,
    decision: Extract<Decision, { readonly kind: "adopt" | "assign" }>,
    round: RoundTimes,
  ): Span {
    const { name, task, lease } = view;
    const because = decision.kind === "assign" ? decision.because : "new-city";
    const isNewGeneration = lease?.task?.generation !== task.generation;
    // What a person asked for until a time ends without a new generation.
    const isChange = isNewGeneration || because === "spec-changed";
    const cause = isNewGeneration ? `generation ${task.generation}` : `${because} after ${lease?.token}`;
    const open = this.#open.get(name);
    if (open?.cause === cause) return open.span;
    this.#close(name);
    const seen = this.#seen.get(name);
    const startedMs = isNewGeneration && seen?.generation === task.generation ? seen.atMs : round.startedMs;
    const span = this.#tracing.begin(isChange ? "city change" : "city move", {
      startedMs,
      isRare: true,
      attributes: {
        "dispatch.city": name,
        "dispatch.generation": task.generation,
        "dispatch.because": because,
        "dispatch.from_worker": isChange ? undefined : lease?.worker,
      },
    });
    if (span.isRecorded) this.#open.set(name, { cause, span });
    return span;
  }

  #close(city: string): void {
    (this.#open.get(city)?.span ?? noSpan).end();
    this.#open.delete(city);
  }
}
