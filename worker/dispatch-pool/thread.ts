import { parentPort, workerData } from "node:worker_threads";
import type { DispatchSnapshot } from "../dispatch/model.ts";
import { decide, type DispatchVerdict, type RunStage } from "../dispatchers/decide.ts";
import { createLoader } from "../dispatchers/load.ts";
import { encodeRecord, type RecordHead } from "../records/record.ts";
import { encodeExplanations } from "../story/explanation-lines.ts";
import {
  READY,
  type DispatchAnswer,
  type DispatchMessage,
  type DispatchRequest,
  type DispatchThreadData,
} from "./protocol.ts";
import { decodeSnapshot } from "./snapshot-codec.ts";

/**
 * The dispatch thread: one request, one answer. What the last dispatcher of a request throws is not caught: it ends the
 * thread, and the pool replaces it and fails the one call.
 */

const load = createLoader((workerData as DispatchThreadData).dispatchers);

async function answer(request: DispatchRequest): Promise<DispatchAnswer> {
  const deadlineMs = performance.now() + request.remainingMs;
  const readSnapshot = (): DispatchSnapshot => decodeSnapshot(request.snapshot);
  const tookMs = { dispatch: 0, validate: 0 };
  const runStage: RunStage = (stage, work) => {
    const startedMs = performance.now();
    try {
      return work();
    } finally {
      tookMs[stage] += performance.now() - startedMs;
    }
  };
  const deadline = { hasPassed: () => performance.now() >= deadlineMs };
  const verdict = await decide(request, readSnapshot, load, deadline, runStage);
  const { by, failures, refused, result } = verdict;
  const { decisions, degraded, gap, explanations } = result;
  const { bytes, leftOut } = encodeExplanations({ failures, refused }, explanations);
  const record =
    request.record === undefined ? undefined : recordOf(request, request.record, readSnapshot(), verdict);
  return { by, failures, refused, decisions, degraded, gap, explanations: bytes, leftOut, record, tookMs };
}

function recordOf(
  { parameters, own }: DispatchRequest,
  head: RecordHead,
  snapshot: DispatchSnapshot,
  { by, deadlineChecks, result }: DispatchVerdict,
): Uint8Array<ArrayBuffer> {
  return encodeRecord({ ...head, dispatcher: by, parameters, own, snapshot, deadlineChecks, result });
}

function post(message: DispatchMessage): void {
  const moves = message === READY ? [] : [message.explanations, ...(message.record ? [message.record] : [])];
  parentPort?.postMessage(
    message,
    moves.map(({ buffer }) => buffer),
  );
}

parentPort?.on("message", (request: DispatchRequest) => void answer(request).then(post));

post(READY);
