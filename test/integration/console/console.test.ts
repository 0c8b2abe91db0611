import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { awaitConsoleUrl } from "../../../local/stack/console-url.ts";
import { followStream, type ConsoleStream } from "../../support/console-stream.ts";
import { START_LIMIT_MS } from "../../support/kube.ts";
import { startProduct, type Product } from "../../support/product.ts";
import { happensWithin } from "../../support/until.ts";

/** The console of real operators, on a real API server and a real MySQL. */

const OPERATORS = ["operator-1", "operator-2"];
const CITIES = ["madrid", "paris"];
const LIMIT_MS = 30_000;
let product: Product;
let urls: readonly string[];
const open: ConsoleStream[] = [];

beforeAll(async () => {
  product = await startProduct({
    cities: CITIES,
    launch: async (stack) => {
      for (const name of OPERATORS) stack.startOperator(name, { CONSOLE: "on", CONSOLE_PORT: "0" });
      for (const name of ["worker-1", "worker-2"]) stack.startWorker(name);
    },
  });
  const { directory } = product.stack;
  const signal = AbortSignal.timeout(LIMIT_MS);
  urls = await Promise.all(OPERATORS.map((operator) => awaitConsoleUrl({ directory, operator }, signal)));
}, START_LIMIT_MS);

afterAll(async () => {
  await product?.stop();
}, 60_000);

afterEach(async () => {
  await Promise.all(open.splice(0).map((stream) => stream.close()));
  await product.expectAuditClean();
});

async function follow(path: string, replica = 0): Promise<ConsoleStream> {
  const stream = await followStream(`${urls[replica]}${path}`);
  open.push(stream);
  await happensWithin(LIMIT_MS, `the first picture of ${path}`, () => stream.messages > 0);
  return stream;
}

const onEach = async (path: string): Promise<readonly ConsoleStream[]> =>
  Promise.all(OPERATORS.map(async (_, replica) => follow(path, replica)));

describe("the fleet", () => {
  test("is shown by every replica, and one of them says that it leads", async () => {
    const streams = await onEach("stream/fleet");
    const agree = (): boolean =>
      CITIES.every((city) => {
        const [one, other] = streams.map((stream) => stream.item("cities", city)?.["worker"]);
        return one !== null && one !== undefined && one === other;
      });
    await happensWithin(LIMIT_MS, "one picture", agree);
    expect(streams.map(({ picture }) => picture.head["isLeading"]).filter(Boolean)).toHaveLength(1);
    expect(streams.map(({ picture }) => picture.head["authority"])).toEqual(["ours", "ours"]);
    for (const { picture } of streams) expect(picture.items["workers"]?.size).toBe(2);
  });

  test("goes on in changes, and every commit is one", async () => {
    const stream = await follow("stream/fleet");
    const wholeBytes = stream.bytes;
    const committedAt = (): number => Number(stream.item("cities", "madrid")?.["committedAtMs"]);
    const before = committedAt();
    await happensWithin(LIMIT_MS, "three more commits", () => committedAt() >= before + 3_000);
    expect(stream.messages).toBeGreaterThanOrEqual(3);
    expect((stream.bytes - wholeBytes) / (stream.messages - 1)).toBeLessThan(wholeBytes / 2);
  });

  test("shows a takeover on every replica, with its cause", async () => {
    const streams = await onEach("stream/fleet");
    const victim = String(streams[0]?.item("cities", "madrid")?.["worker"]);
    product.stack.processes.get(victim.replace(/-[0-9a-f]+$/, ""))?.signal("SIGKILL");
    const moveOf = (stream: ConsoleStream) =>
      [...(stream.picture.items["moves"] ?? new Map()).values()].find(
        (move) => move["city"] === "madrid" && move["from"] === victim,
      );
    await happensWithin(LIMIT_MS, "the move", () => streams.every((stream) => moveOf(stream) !== undefined));
    for (const stream of streams) {
      expect(moveOf(stream)?.["because"]).toBe("holder-gone");
      expect(moveOf(stream)?.["to"]).toBe(stream.item("cities", "madrid")?.["worker"]);
    }
  });
});

describe("a city", () => {
  test("is shown with its ticks, its claims, its open orders and couriers, and what was decided of them", async () => {
    const hour = "INTERVAL 1 HOUR";
    for (const sql of [
      "INSERT INTO stores (city, id, name, latitude, longitude) VALUES ('madrid', 's1', 'Store', 40.4, -3.7)",
      `INSERT INTO couriers (city, id, latitude, longitude, position_at, capacity, shift_starts_at, shift_ends_at) VALUES
        ('madrid', 'c1', 40.401, -3.7, UTC_TIMESTAMP(3), 2, UTC_TIMESTAMP(3) - ${hour}, UTC_TIMESTAMP(3) + ${hour})`,
      `INSERT INTO orders (city, id, store_id, latitude, longitude, placed_at, ready_at)
        VALUES ('madrid', 'o1', 's1', 40.40512, -3.70512, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3))`,
    ])
      await product.query(sql);
    const stream = await follow("stream/city?city=madrid");
    await happensWithin(
      LIMIT_MS,
      "the assignment of o1",
      () => stream.item("orders", "o1")?.["courier"] === "c1",
    );
    await happensWithin(LIMIT_MS, "the explanation", () => stream.item("decisions", "o1") !== undefined);
    expect(stream.item("orders", "o1")).toMatchObject({ store: "s1", latitude: 40.405, longitude: -3.705 });
    expect(stream.item("couriers", "c1")).toMatchObject({ load: 1, capacity: 2 });
    expect(stream.item("conditions", "Ready")).toMatchObject({ status: "True" });
    const { head, items } = stream.picture;
    expect(head).toMatchObject({ isFound: true, ledgerTrouble: null, mapTrouble: null });
    expect(items["claims"]?.size).toBeGreaterThan(0);
    const ticks = [...(items["ticks"]?.keys() ?? [])].map(Number).toSorted((left, right) => left - right);
    expect(ticks).toEqual(ticks.map((_, index) => (ticks[0] ?? 0) + index));
  });

  test("has orders whose stories are told", async () => {
    const response = await fetch(`${urls[1]}story?city=madrid&order=o1`);
    const { lines } = (await response.json()) as { readonly lines: readonly string[] };
    expect(lines[0]).toContain("placed");
    expect(lines.join("\n")).toContain("assigned to c1");
  });

  test("that is suspended says so to whoever looks", async () => {
    const stream = await follow("stream/fleet");
    await product.apply("paris", { period: "1s", suspend: true });
    await happensWithin(
      LIMIT_MS,
      "the seal",
      () => stream.item("cities", "paris")?.["reason"] === "Suspended",
    );
    expect(stream.item("cities", "paris")).toMatchObject({ worker: null, isSuspended: true });
  });

  test("that does not exist is said not to", async () => {
    expect((await follow("stream/city?city=atlantis")).picture.head).toMatchObject({ isFound: false });
  });
});

test("a database that does not answer is said not to, and to answer again when it does", async () => {
  const stream = await follow("stream/fleet");
  product.mysql.freeze();
  try {
    await happensWithin(LIMIT_MS, "the word", () => stream.picture.head["isDatabaseReachable"] === false);
  } finally {
    product.mysql.thaw();
  }
  await happensWithin(LIMIT_MS, "the word", () => stream.picture.head["isDatabaseReachable"] === true);
  expect(await product.log("operator-1")).not.toContain("not shown");
}, 90_000);
