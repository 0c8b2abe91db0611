import { startDispatchProcess } from "../../worker/dispatch-pool/dispatch-process.ts";
import { encodeSnapshot } from "../../worker/dispatch-pool/snapshot-codec.ts";
import { anOrder, aQuestion, aSnapshot } from "./dispatch-snapshot.ts";

/** A process that waits for its dispatch process for ever; the test kills it. */
const thread = startDispatchProcess({
  module: new URL("odd-dispatch-thread.ts", import.meta.url),
  heapMegabytesMax: 64,
  dispatchers: undefined,
});
const request = { ...aQuestion(), remainingMs: 1_000 };
await thread.call({ ...request, snapshot: encodeSnapshot(aSnapshot([anOrder("answer")], [])) });
process.stdout.write("ready\n");
await thread.call({ ...request, snapshot: encodeSnapshot(aSnapshot([anOrder("hang")], [])) });
