import { parentPort } from "node:worker_threads";
import { dispatch } from "../dispatch/dispatch.ts";
import { READY, type DispatchAnswer, type DispatchRequest } from "./protocol.ts";

/**
 * The dispatch thread: one request, one answer. An exception is not caught here: it ends the thread, and the pool replaces
 * it and fails the one call.
 */

parentPort?.on("message", (request: DispatchRequest) => {
  const deadlineMs = performance.now() + request.remainingMs;
  const answer: DispatchAnswer = dispatch(request.snapshot, request.parameters, {
    hasPassed: () => performance.now() >= deadlineMs,
  });
  parentPort?.postMessage(answer, []);
});

parentPort?.postMessage(READY, []);
