import { fork } from "node:child_process";
import { OperationalError } from "../../runtime/errors.ts";
import type { ProcessAnswer, ProcessSettings } from "../dispatch-process/main.ts";
import type { DispatchThread, ThreadSettings } from "./dispatch-thread.ts";
import type { DispatchAnswer } from "./protocol.ts";

const ENTRY = new URL("../dispatch-process/main.ts", import.meta.url);

/**
 * A dispatch thread in a process of its own, for cities that did harm: what takes a process down from within a thread (see
 * `startDispatchThread`) takes down nobody else's. It ends with its parent, however that ends.
 */
export function startDispatchProcess({ module, ...rest }: ThreadSettings): DispatchThread {
  const settings: ProcessSettings = { ...rest, module: module.href };
  const child = fork(ENTRY, [JSON.stringify(settings)], {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  let over = false;
  let ready = false;
  let current: PromiseWithResolvers<DispatchAnswer> | undefined;
  const gone = Promise.withResolvers<void>();

  const end = (message: string, cause?: unknown): void => {
    over = true;
    gone.resolve();
    current?.reject(new OperationalError({ code: "dispatch-crashed", remedy: "retry", message, cause }));
    current = undefined;
  };
  child.on("message", (answer: ProcessAnswer) => {
    switch (answer.kind) {
      case "ready":
        ready = true;
        break;
      case "answered":
        current?.resolve(answer.answer);
        current = undefined;
        break;
      case "ended":
        end(answer.message, new Error(answer.mistake));
        break;
      default:
        answer satisfies never;
    }
  });
  child.on("error", (error) => {
    end("the dispatch process could not be started or spoken to", error);
  });
  child.on("exit", (code, signal) => {
    end(`the dispatch process ended with ${signal ?? `code ${code}`} before it answered`);
  });

  return {
    isOver: () => over,
    isReady: () => ready,
    async call(request) {
      current = Promise.withResolvers<DispatchAnswer>();
      const { promise } = current;
      // A process that cannot be sent to is on its way out: `exit` tells.
      child.send(request, () => undefined);
      return promise;
    },
    async terminate() {
      over = true;
      child.kill("SIGKILL");
      await gone.promise;
    },
  };
}
