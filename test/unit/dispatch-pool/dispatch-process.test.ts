import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { OperationalError } from "../../../runtime/errors.ts";
import { startDispatchProcess } from "../../../worker/dispatch-pool/dispatch-process.ts";
import { encodeSnapshot } from "../../../worker/dispatch-pool/snapshot-codec.ts";
import type { DispatchThread } from "../../../worker/dispatch-pool/dispatch-thread.ts";
import { anOrder, aQuestion, aSnapshot } from "../../support/dispatch-snapshot.ts";
import { happensWithin } from "../../support/until.ts";

const ODD_THREAD = new URL("../../support/odd-dispatch-thread.ts", import.meta.url);
const PARENT = fileURLToPath(new URL("../../support/dispatch-process-parent.ts", import.meta.url));
const LIMIT_MS = 60_000;

let isolated: DispatchThread;

beforeEach(() => {
  isolated = startDispatchProcess({ module: ODD_THREAD, heapMegabytesMax: 64, dispatchers: undefined });
});
afterEach(async () => {
  await isolated.terminate();
});

const ask = (what: string) =>
  isolated.call({
    ...aQuestion(),
    snapshot: encodeSnapshot(aSnapshot([anOrder(what)], [])),
    remainingMs: 1_000,
  });

describe("a dispatch process", () => {
  test(
    "answers one request after the other",
    async () => {
      const answer = { decisions: [{ order: "remaining", courier: "1000" }] };
      expect(isolated.isReady()).toBe(false);
      expect(await ask("answer")).toMatchObject(answer);
      expect(isolated.isReady()).toBe(true);
      expect(await ask("answer")).toMatchObject(answer);
      expect(isolated.isOver()).toBe(false);
    },
    LIMIT_MS,
  );

  test.each([
    ["crash", "the dispatch thread ended", "the dispatcher made a mistake"],
    ["devour", "the dispatch thread ended", "memory limit"],
    ["devour-at-once", "the dispatch process ended with SIG", "undefined"],
  ])(
    "whose dispatcher begins to %s ends, and this process lives to tell",
    async (harm, message, cause) => {
      const failure = await ask(harm).then(
        () => undefined,
        (error: OperationalError) => error,
      );
      expect(failure).toMatchObject({ code: "dispatch-crashed", remedy: "retry" });
      expect(failure?.message).toContain(message);
      expect(String(failure?.cause)).toContain(cause);
      expect(isolated.isOver()).toBe(true);
    },
    LIMIT_MS,
  );

  test(
    "can be ended in the middle of an endless loop",
    async () => {
      const hanging = ask("hang").catch((error: unknown) => error);
      await isolated.terminate();
      expect(await hanging).toMatchObject({ code: "dispatch-crashed" });
    },
    LIMIT_MS,
  );

  test(
    "ends when its parent was killed, even while its dispatcher hangs",
    async () => {
      const parent = spawn(process.execPath, [PARENT], { stdio: ["ignore", "pipe", "ignore"] });
      await once(parent.stdout, "data");
      const children = await childrenOf(parent.pid ?? 0);
      expect(children).toHaveLength(1);
      parent.kill("SIGKILL");
      await happensWithin(10_000, "the end of the dispatch process", async () =>
        (await statesOf(children)).every((state) => state === undefined || state === "Z"),
      );
    },
    LIMIT_MS,
  );
});

/** Process ids, from what Linux tells of every process: "pid (name) state parent …". */
async function childrenOf(pid: number): Promise<readonly string[]> {
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const parents = await Promise.all(ids.map(async (id) => (await statOf(id))?.[1]));
  return ids.filter((_, index) => parents[index] === String(pid));
}

async function statesOf(ids: readonly string[]): Promise<readonly (string | undefined)[]> {
  return Promise.all(ids.map(async (id) => (await statOf(id))?.[0]));
}

async function statOf(id: string): Promise<readonly string[] | undefined> {
  const text = await readFile(`/proc/${id}/stat`, "utf8").catch(() => undefined);
  return text?.slice(text.lastIndexOf(")") + 2).split(" ");
}
