import { DATABASE_GUARDS } from "./database-guards.ts";
import type { Guard } from "./guard.ts";
import { OPERATOR_GUARDS } from "./operator-guards.ts";
import { WORKER_GUARDS } from "./worker-guards.ts";

/** All that `make mutations` takes away, one at a time. */
export const GUARDS: readonly Guard[] = [...DATABASE_GUARDS, ...WORKER_GUARDS, ...OPERATOR_GUARDS];
