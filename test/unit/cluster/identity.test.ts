import { expect, test } from "@jest/globals";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { firstChildOf, identify, isAlive } from "../../../local/process/identity.ts";

test("a process is alive until it ends, and one that has ended is nobody", async () => {
  const child = spawn("sleep", ["100"], { stdio: "ignore" });
  const identity = identify(child.pid ?? 0);
  expect(identity?.pid).toBe(child.pid);
  expect(isAlive(identity!)).toBe(true);
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
  expect(isAlive(identity!)).toBe(false);
  expect(identify(child.pid ?? 0)).toBeUndefined();
});

test("a later process under the same number is another one", () => {
  const self = identify(process.pid)!;
  expect(isAlive(self)).toBe(true);
  expect(isAlive({ ...self, startTicks: "1" })).toBe(false);
});

test("the first child is found, and none where there is none", async () => {
  const shell = spawn("sh", ["-c", "sleep 100; true"], { stdio: "ignore" });
  let child: number | undefined;
  while (child === undefined) {
    await new Promise(setImmediate);
    child = firstChildOf(shell.pid ?? 0);
  }
  expect(firstChildOf(child)).toBeUndefined();
  process.kill(child);
  await once(shell, "exit");
});
