import { startDispatchProcess } from "../../worker/dispatch-pool/dispatch-process.ts";
import { anOrder, aSnapshot, PARAMETERS } from "./dispatch-snapshot.ts";

/** A process that waits for its dispatch process for ever; the test kills it. */
const thread = startDispatchProcess(new URL("odd-dispatch-thread.ts", import.meta.url), 64);
const request = { parameters: PARAMETERS, remainingMs: 1_000 };
await thread.call({ ...request, snapshot: aSnapshot([anOrder("answer")], []) });
process.stdout.write("ready\n");
await thread.call({ ...request, snapshot: aSnapshot([anOrder("hang")], []) });
