import { Worker } from "node:worker_threads";
import { OperationalError } from "../../runtime/errors.ts";
import {
  READY,
  type DispatchAnswer,
  type DispatchMessage,
  type DispatchRequest,
  type DispatchThreadData,
} from "./protocol.ts";
import { buffersOf } from "./snapshot-codec.ts";

/** What a thread, or a process with one, is started with. */
export type ThreadSettings = DispatchThreadData & {
  /** What it runs; it follows `protocol.ts`. */
  readonly module: URL;
  readonly heapMegabytesMax: number;
};

/** A thread that decides on one request at a time. Once a call has failed it is over and must be replaced. */
export type DispatchThread = {
  isOver(): boolean;
  /** Whether it has loaded. On a machine without a free core that can take longer than a tick. */
  isReady(): boolean;
  /**
   * Takes the request's snapshot away from its caller. Rejects with an OperationalError `dispatch-crashed` when the thread
   * ends first, whether by its own mistake, by running out of memory or by `terminate`.
   */
  call(request: DispatchRequest): Promise<DispatchAnswer>;
  /** Ends it wherever it is, even in an endless loop; resolves when it is gone. */
  terminate(): Promise<void>;
};

/**
 * A thread that needs more heap than `heapMegabytesMax` is ended by V8, and the process lives on. What can still take the
 * process down from within a thread: memory outside of V8's heap (typed arrays, strings of a native module), which only
 * the container's limit bounds; an answer that the main thread has no room to receive; one allocation larger than what is
 * left of the heap (an array or Map that doubles), for which V8 aborts the process; and `process.kill()` or a crash of a
 * native module. The operator sees the death of a worker and counts it against the city, which then has a process of its
 * own: see `startDispatchProcess`.
 */
export function startDispatchThread(
  { module, heapMegabytesMax, dispatchers }: ThreadSettings,
  onReady: () => void = () => undefined,
): DispatchThread {
  const worker = new Worker(module, {
    name: "dispatch",
    resourceLimits: { maxOldGenerationSizeMb: heapMegabytesMax },
    workerData: { dispatchers } satisfies DispatchThreadData,
  });
  let over = false;
  let ready = false;
  let failure: unknown;
  let current: PromiseWithResolvers<DispatchAnswer> | undefined;
  const gone = Promise.withResolvers<void>();

  worker.on("message", (message: DispatchMessage) => {
    if (message === READY) {
      ready = true;
      onReady();
      return;
    }
    const call = current;
    current = undefined;
    call?.resolve(message);
  });
  // Always followed by "exit", which tells the call.
  worker.on("error", (error: unknown) => {
    failure = error;
  });
  worker.on("exit", (code) => {
    over = true;
    gone.resolve();
    current?.reject(
      new OperationalError({
        code: "dispatch-crashed",
        remedy: "retry",
        message: `the dispatch thread ended with code ${code} before it answered`,
        cause: failure,
      }),
    );
    current = undefined;
  });

  return {
    isOver: () => over,
    isReady: () => ready,
    async call(request) {
      current = Promise.withResolvers<DispatchAnswer>();
      const { promise } = current;
      worker.postMessage(request, buffersOf(request.snapshot));
      return promise;
    },
    async terminate() {
      over = true;
      await worker.terminate();
      await gone.promise;
    },
  };
}
