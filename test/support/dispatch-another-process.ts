import { dispatch } from "../../worker/dispatch/dispatch.ts";
import { aRandomSnapshot, PARAMETERS } from "./dispatch-snapshot.ts";

/** Prints what the dispatcher answers to the random city of this seed, for a test that compares processes. */
const snapshot = aRandomSnapshot(Number(process.argv[2]), { orders: 60, couriers: 50 });
process.stdout.write(JSON.stringify(dispatch(snapshot, PARAMETERS, { hasPassed: () => false })));
