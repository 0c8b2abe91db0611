import type { DispatchResult } from "../dispatch/model.ts";
import { startDispatchThread } from "../dispatch-pool/dispatch-thread.ts";
import type { DispatchRequest } from "../dispatch-pool/protocol.ts";

/**
 * The process of isolated cities. It passes requests on to one dispatch thread, so that its own loop always turns and it
 * notices at once when its parent is gone. It ends with the thread; the pool starts another.
 */

export type ProcessAnswer =
  /** Its thread has loaded and takes requests. */
  | { readonly kind: "ready" }
  | { readonly kind: "result"; readonly result: DispatchResult }
  /** `mistake`: the message of what the dispatcher threw; an Error does not survive the way to another process. */
  | { readonly kind: "ended"; readonly message: string; readonly mistake: string };

const [module = "", heapMegabytesMax = ""] = process.argv.slice(2);
const thread = startDispatchThread(new URL(module), Number(heapMegabytesMax), () => {
  const ready: ProcessAnswer = { kind: "ready" };
  process.send?.(ready);
});

async function answer(request: DispatchRequest): Promise<void> {
  try {
    const result: ProcessAnswer = { kind: "result", result: await thread.call(request) };
    process.send?.(result);
  } catch (error) {
    const { message, cause } = error as Error;
    const mistake = Error.isError(cause) ? cause.message : String(cause);
    const ended: ProcessAnswer = { kind: "ended", message, mistake };
    process.send?.(ended, () => {
      process.exit(1);
    });
  }
}

process.on("message", (request: DispatchRequest) => void answer(request));
process.on("disconnect", () => {
  process.exit(0);
});
// A terminal sends these to the whole group; the parent may need this process for its last ticks.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);
