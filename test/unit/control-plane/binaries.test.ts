import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { ensureBinaries } from "../../../local/control-plane/binaries.ts";

let directory: string;
const saved = { assets: process.env["KUBEBUILDER_ASSETS"], path: process.env["PATH"] };

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "city-operator-assets-"));
  process.env["KUBEBUILDER_ASSETS"] = directory;
});

afterEach(async () => {
  delete process.env["KUBEBUILDER_ASSETS"];
  if (saved.assets !== undefined) process.env["KUBEBUILDER_ASSETS"] = saved.assets;
  if (saved.path !== undefined) process.env["PATH"] = saved.path;
  await rm(directory, { recursive: true });
});

test("programs that are given in KUBEBUILDER_ASSETS are taken from there, without Go", async () => {
  for (const name of ["etcd", "kubectl"]) {
    await writeFile(join(directory, name), "");
    await chmod(join(directory, name), 0o755);
  }
  process.env["PATH"] = directory;
  expect(await ensureBinaries(["etcd", "kubectl"], () => undefined)).toEqual({
    etcd: join(directory, "etcd"),
    kubectl: join(directory, "kubectl"),
  });
});

test("a machine without Go is told what to install", async () => {
  process.env["PATH"] = directory;
  await expect(ensureBinaries(["etcd"], () => undefined)).rejects.toMatchObject({
    code: "go-missing",
    message: expect.stringMatching(/install Go 1\.25 or later from go\.dev\/dl or your distribution/),
  });
});
