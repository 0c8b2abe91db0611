import { expect, test } from "@jest/globals";
import { obstacle, type Machine } from "../../../local/cluster/requirements.ts";

const MACHINE: Machine = {
  platform: "linux",
  userId: 0,
  hasProgram: () => true,
  folders: ["/home/somebody/city-operator", "/root/.cache/city-operator"],
};

test("root on Linux with the usual programs can have a cluster", () => {
  expect(obstacle(MACHINE)).toBeUndefined();
});

test("another user is told to use sudo or a cluster of their own", () => {
  expect(obstacle({ ...MACHINE, userId: 1000 })).toMatch(
    /needs root on Linux, and this is user 1000: use sudo/,
  );
});

test("another system is named", () => {
  expect(obstacle({ ...MACHINE, platform: "darwin", userId: 501 })).toMatch(/and this is darwin/);
});

test("missing programs are named with their packages", () => {
  const text = obstacle({ ...MACHINE, hasProgram: (name) => name !== "ip" && name !== "openssl" });
  expect(text).toMatch(/needs ip, openssl, .* apt-get install iproute2 openssl/);
});

test("a checkout that the cluster's own folders would hide is refused", () => {
  expect(obstacle({ ...MACHINE, folders: ["/var/lib/jenkins/city-operator"] })).toMatch(
    /^\/var\/lib\/jenkins\/city-operator cannot be seen/,
  );
});
