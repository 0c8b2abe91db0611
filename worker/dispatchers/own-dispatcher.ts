import type { Deadline, DispatchParameters, DispatchResult, DispatchSnapshot } from "../dispatch/model.ts";

/**
 * A company's own dispatcher: what a module `<name>.js` or `<name>.ts` in the worker's folder DISPATCHERS exports under the
 * name `dispatch`, for Cities whose `spec.dispatcher` is that name. See docs/own-dispatcher.md.
 *
 * It must be a pure function of its arguments and return at once when the deadline has passed: it is terminated with its
 * thread half as long again after the deadline.
 */
export type OwnDispatcher = (
  snapshot: DispatchSnapshot,
  parameters: DispatchParameters,
  deadline: Deadline,
  own: OwnParameters,
) => OwnDispatchResult;

/** The City's `spec.dispatcherParameters`, as a person wrote them. */
export type OwnParameters = Readonly<Record<string, string>>;

/** Left out: no explanations, not degraded, gap unknown. */
export type OwnDispatchResult = Pick<DispatchResult, "decisions"> & Partial<DispatchResult>;
