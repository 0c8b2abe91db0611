import { expect, test } from "@jest/globals";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { startCluster } from "../../local/cluster/cluster.ts";
import { sweep } from "../../local/cluster/instances.ts";
import { happensWithin } from "../support/until.ts";
import { readResidue } from "./harness/residue.ts";

/** A local cluster comes and goes without a trace, also when whoever made it is killed. */

const FIRST_TIME_LIMIT_MS = 1_500_000;

const progress = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

test(
  "a cluster goes up and down twice, the second time with a pod that runs, and the machine is as before",
  async () => {
    await sweep();
    const before = await readResidue();
    const first = await startCluster({ name: "twice", level: "control", endsWithUs: true, progress });
    await first.stop();
    expect(await readResidue()).toEqual(before);

    const second = await startCluster({ name: "twice", level: "node", endsWithUs: true, progress });
    try {
      const pod = ["run", "left", "--image=localhost/pause:1", "--restart=Never"];
      await happensWithin(10_000, "a pod is accepted", async () => (await second.kubectl(pod)).code === 0);
      const ready = await second.kubectl(["wait", "--for=condition=Ready", "pod/left", "--timeout=30s"]);
      expect(ready.stderr).toBe("");
    } finally {
      await second.stop();
    }
    expect(await readResidue()).toEqual(before);
  },
  FIRST_TIME_LIMIT_MS,
);

test("when its maker is killed, everything inside ends at once, and the next start removes the rest", async () => {
  await sweep();
  const before = await readResidue();
  const maker = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", `${import.meta.dirname}/harness/doomed-maker.ts`],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const [line] = (await once(createInterface({ input: maker.stdout }), "line")) as [string];
  expect(line).toBe("up");
  maker.kill("SIGKILL");
  await happensWithin(5_000, "every process ended", async () => {
    const { processes } = await readResidue();
    return processes?.length === before["processes"]?.length;
  });
  expect(await sweep()).toEqual(["doomed"]);
  expect(await readResidue()).toEqual(before);
}, 120_000);
