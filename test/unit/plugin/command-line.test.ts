import { describe, expect, test } from "@jest/globals";
import { commandLine, type Order } from "../../../plugin/commands.ts";
import { suggestions } from "../../../plugin/complete.ts";

/** What a person types, and what is understood. */

async function understood(
  line: string,
): Promise<{ readonly order: Order; readonly namespace: string | undefined }> {
  const heard: { order: Order; namespace: string | undefined }[] = [];
  const program = commandLine(async (order, { namespace }) => {
    heard.push({ order, namespace });
  });
  const said: string[] = [];
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeErr: (text) => said.push(text) });
  }
  await program.parseAsync(line.split(" "), { from: "user" }).catch((error: unknown) => {
    throw new Error(`${said.join("")}${String(error)}`);
  });
  return heard[0]!;
}

describe("the command line", () => {
  test.each<readonly [string, Order]>([
    ["top --once", { kind: "top", once: true }],
    ["suspend madrid", { kind: "suspend", city: "madrid", waitMs: 30_000 }],
    ["resume madrid --wait 0s", { kind: "resume", city: "madrid", waitMs: 0 }],
    [
      "plan --without w1 --without w2 --join 3",
      { kind: "plan", without: ["w1", "w2"], drained: [], joined: 3, pool: "default" },
    ],
    [
      "pin madrid --to w1 --for 1h30m",
      {
        kind: "pin",
        city: "madrid",
        to: { worker: "w1", forMs: 5_400_000 },
        words: "pin madrid --to w1 --for 1h30m",
        waitMs: 30_000,
      },
    ],
    [
      "move madrid --to w1",
      {
        kind: "pin",
        city: "madrid",
        to: { worker: "w1", forMs: 120_000 },
        words: "move madrid --to w1 --for 2m",
        waitMs: 30_000,
      },
    ],
    [
      "dispatcher madrid greedy --for 30m",
      {
        kind: "dispatcher",
        city: "madrid",
        override: { dispatcher: "greedy", forMs: 1_800_000 },
        words: "dispatcher madrid greedy --for 30m",
        waitMs: 30_000,
      },
    ],
    [
      "dispatcher madrid --end",
      {
        kind: "dispatcher",
        city: "madrid",
        override: undefined,
        words: "dispatcher madrid --end",
        waitMs: 30_000,
      },
    ],
    ["drain w1 --end", { kind: "drain", worker: "w1", ends: true, words: "drain w1 --end", waitMs: 30_000 }],
    ["authority take --yes", { kind: "authority-take", isMeant: true }],
  ])("takes %p", async (line, order) => {
    expect((await understood(line)).order).toEqual(order);
  });

  test("takes the namespace before and after the command", async () => {
    expect((await understood("-n dispatch top")).namespace).toBe("dispatch");
    expect((await understood("top --namespace dispatch")).namespace).toBe("dispatch");
  });

  test.each([
    ["pin madrid --for 1h", /say where: --to <worker>/],
    ["pin madrid --to w1", /say until when: --for <duration>/],
    ["pin madrid --end --to w1", /leave out --to and --for/],
    ["pin madrid --to w1 --for 8h5", /write it like "200ms"/],
    ["pin madrid --to w1 --for 1000h", /write a duration from 1s to 168h/],
    ["dispatcher madrid", /say which dispatcher/],
    ["dispatcher madrid greedy", /say until when/],
    ["plan --join 0", /write a number from 1 to 1000/],
    ["suspnd madrid", /Did you mean suspend/],
    ["suspend", /missing required argument 'city'/],
  ])("refuses %p and says what to write", async (line, what) => {
    await expect(understood(line)).rejects.toThrow(what);
  });
});

describe("completion", () => {
  const program = commandLine(async () => undefined);
  const names = async (what: string) => [`${what}-1`, `${what}-2`];
  const complete = async (...words: readonly string[]) =>
    (await suggestions(program, words, names)).map((line) => line.split("\t")[0]);

  test.each<readonly [readonly string[], readonly string[]]>([
    [["s"], ["suspend"]],
    [
      ["why", ""],
      ["city-1", "city-2"],
    ],
    [["why", "city-2"], ["city-2"]],
    [["why", "city-1", ""], []],
    [
      ["-n", "x", "move", ""],
      ["city-1", "city-2"],
    ],
    [
      ["move", "madrid", "--to", ""],
      ["worker-1", "worker-2"],
    ],
    [
      ["move", "--to", "w1", ""],
      ["city-1", "city-2"],
    ],
    [
      ["plan", "--without", ""],
      ["worker-1", "worker-2"],
    ],
    [["top", "--on"], ["--once"]],
    [
      ["authority", ""],
      ["show", "take"],
    ],
  ])("of %j is %j", async (words, expected) => {
    expect(await complete(...words)).toEqual([...expected, ":4"]);
  });
});
