import { parentPort } from "node:worker_threads";
import { anAnswer } from "./dispatch-snapshot.ts";
import { READY, type DispatchAnswer, type DispatchRequest } from "../../worker/dispatch-pool/protocol.ts";
import { decodeSnapshot } from "../../worker/dispatch-pool/snapshot-codec.ts";

/** A dispatch thread that does what the id of the first order says. */
parentPort?.on("message", (request: DispatchRequest) => {
  switch (decodeSnapshot(request.snapshot).orders[0]?.id ?? "") {
    case "hang":
      for (;;);
    case "crash":
      throw new Error("the dispatcher made a mistake");
    case "devour": {
      const eaten: number[][] = [];
      for (;;) eaten.push(Array.from({ length: 100_000 }, (_, index) => index + 0.5));
    }
    case "devour-at-once": {
      // V8 ends the whole process for this one, whatever the limits of the thread.
      const eaten: number[][] = [];
      for (;;) eaten.push(Array.from<number>({ length: 30_000_000 }).fill(0.5));
    }
    default: {
      // What it was told, as the name of a courier.
      const decisions = [
        { order: "remaining", courier: String(request.remainingMs), stop: 1, from: undefined },
      ];
      const answer: DispatchAnswer = { ...anAnswer(), decisions };
      parentPort?.postMessage(answer, []);
    }
  }
});

parentPort?.postMessage(READY, []);
