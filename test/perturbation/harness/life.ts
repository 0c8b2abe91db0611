import type { Database } from "../../../db/pool.ts";
import { abortable } from "../../../runtime/abort.ts";
import { OperationalError } from "../../../runtime/errors.ts";
import type { KubeClient } from "../../../runtime/kube/kube-api.ts";
import type { ObjectRef } from "../../../runtime/kube/resources.ts";

/** A write as it leaves the operator. */
export type Write = {
  readonly kind: "create" | "replace" | "patch" | "remove" | "seal";
  /** The collection, or "fence" for a seal. */
  readonly of: string;
  readonly name: string;
  readonly isStatus: boolean;
  /** The object, the merge patch, or the preconditions of a removal. */
  readonly body: unknown;
};

/**
 * Sends the write, or does not, or later: whoever perturbs decides. `signal` is the caller's, and aborts with the life of
 * the process as well; what is sent under another one arrives whatever becomes of its sender.
 */
export type Perturb = <Result>(
  input: {
    readonly write: Write;
    readonly send: (signal: AbortSignal) => Promise<Result>;
    readonly life: Life;
  },
  signal: AbortSignal,
) => Promise<Result>;

/**
 * What a process can lose all at once, as SIGKILL takes it: from `end` on, no call of its clients goes out and no answer
 * comes in. Whatever it does in memory after that is seen by nobody.
 */
export class Life {
  readonly #ending = new AbortController();

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  end(): void {
    this.#ending.abort(
      new OperationalError({ code: "killed", remedy: "retry", message: "the process was killed" }),
    );
  }

  /** One call to the outside: answered only to the living. */
  async call<Result>(caller: AbortSignal, send: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    this.signal.throwIfAborted();
    const answer = send(AbortSignal.any([caller, this.signal]));
    // What is sent may be what ends this life: then nobody waits for its answer any more.
    answer.catch(() => undefined);
    return abortable(answer, this.signal);
  }

  client(base: KubeClient, perturb: Perturb): KubeClient {
    const { signal: ended } = this;
    const write = <Result>(
      what: Write,
      caller: AbortSignal,
      send: (signal: AbortSignal) => Promise<Result>,
    ): Promise<Result> => this.call(caller, (signal) => perturb({ write: what, send, life: this }, signal));
    return {
      namespace: base.namespace,
      list: (resource, options, signal) =>
        this.call(signal, (limited) => base.list(resource, options, limited)),
      get: (resource, ref, signal) => this.call(signal, (limited) => base.get(resource, ref, limited)),
      create: (resource, object, signal) =>
        write(
          { kind: "create", of: resource.plural, name: object.metadata.name, isStatus: false, body: object },
          signal,
          (limited) => base.create(resource, object, limited),
        ),
      replace: (resource, object, signal, options) =>
        write(
          { kind: "replace", of: resource.plural, name: object.metadata.name, isStatus: false, body: object },
          signal,
          (limited) => base.replace(resource, object, limited, options),
        ),
      patch: (resource, ref: ObjectRef, body, signal, options) =>
        write(
          {
            kind: "patch",
            of: resource.plural,
            name: ref.name,
            isStatus: options?.subresource === "status",
            body,
          },
          signal,
          (limited) => base.patch(resource, ref, body, limited, options),
        ),
      remove: (resource, ref, signal, options) =>
        write(
          { kind: "remove", of: resource.plural, name: ref.name, isStatus: false, body: options },
          signal,
          (limited) => base.remove(resource, ref, limited, options),
        ),
      async *watch(resource, options, signal) {
        yield* base.watch(resource, options, AbortSignal.any([signal, ended]));
        ended.throwIfAborted();
      },
      version: (signal) => this.call(signal, (limited) => base.version(limited)),
      close: () => base.close(),
    };
  }

  database(base: Database, perturb: Perturb): Database {
    return {
      query: (sql, values, signal) => this.call(signal, (limited) => base.query(sql, values, limited)),
      readConsistently: (work, signal) =>
        this.call(signal, (limited) => base.readConsistently(work, limited)),
      call: (sql, values, signal, onSend) =>
        this.call(signal, (limited) => {
          const send = (own: AbortSignal) => base.call(sql, values, own, onSend);
          if (!sql.startsWith("CALL seal_city")) return send(limited);
          const name = String(values[0]);
          const write: Write = { kind: "seal", of: "fence", name, isStatus: false, body: values };
          return perturb({ write, send, life: this }, limited);
        }),
      close: () => base.close(),
    };
  }
}
