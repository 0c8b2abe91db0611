import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { withBuildLock } from "../../../local/control-plane/build-lock.ts";

let directory: string;
let file: string;
const never = new AbortController().signal;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "city-operator-lock-"));
  file = join(directory, "build.lock");
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

describe("the build lock", () => {
  test("is held by this process while it works, and free afterwards, also after a failure", async () => {
    const work = async (): Promise<void> => {
      expect(await readFile(file, "utf8")).toBe(String(process.pid));
      throw new Error("the build failed");
    };
    await expect(withBuildLock({ file, progress: () => undefined }, never, work)).rejects.toThrow(
      "the build failed",
    );
    expect(existsSync(file)).toBe(false);
  });

  test("of a process that has ended counts for nothing", async () => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    await writeFile(file, String(pid));
    let worked = false;
    await withBuildLock({ file, progress: () => undefined }, never, async () => {
      worked = true;
      await Promise.resolve();
    });
    expect(worked).toBe(true);
  });

  test("of a living process is waited for with a message, until the signal aborts", async () => {
    await writeFile(file, String(process.ppid));
    const stop = new AbortController();
    const lines: string[] = [];
    const waiting = withBuildLock(
      {
        file,
        progress(line) {
          lines.push(line);
          stop.abort(new Error("enough"));
        },
      },
      stop.signal,
      () => Promise.reject(new Error("must not work")),
    );
    await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
    expect(lines).toEqual([expect.stringContaining("waiting for another build")]);
    expect(await readFile(file, "utf8")).toBe(String(process.ppid));
  });
});
