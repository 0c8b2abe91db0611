import { startDispatchThread, type ThreadSettings } from "../dispatch-pool/dispatch-thread.ts";
import { copySnapshot } from "../dispatch-pool/snapshot-codec.ts";
import type { DispatchAnswer, DispatchRequest } from "../dispatch-pool/protocol.ts";

/**
 * The process of isolated cities. It passes requests on to one dispatch thread, so that its own loop always turns and it
 * notices at once when its parent is gone. It ends with the thread; the pool starts another.
 */

/** Its one argument, as JSON. */
export type ProcessSettings = Omit<ThreadSettings, "module"> & { readonly module: string };

export type ProcessAnswer =
  /** Its thread has loaded and takes requests. */
  | { readonly kind: "ready" }
  | { readonly kind: "answered"; readonly answer: DispatchAnswer }
  /** `mistake`: the message of what the dispatcher threw; an Error does not survive the way to another process. */
  | { readonly kind: "ended"; readonly message: string; readonly mistake: string };

const settings = JSON.parse(process.argv[2] ?? "") as ProcessSettings;
const thread = startDispatchThread({ ...settings, module: new URL(settings.module) }, () => {
  const ready: ProcessAnswer = { kind: "ready" };
  process.send?.(ready);
});

async function answer(request: DispatchRequest): Promise<void> {
  const own = { ...request, snapshot: copySnapshot(request.snapshot) };
  try {
    const answered: ProcessAnswer = { kind: "answered", answer: await thread.call(own) };
    process.send?.(answered);
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
