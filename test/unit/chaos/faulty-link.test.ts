import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createFaultyLink, type FaultyLink } from "../../support/faulty-link.ts";
import { until } from "../../support/until.ts";

/** The link itself must do what its faults are called, or chaos would test nothing. */

let server: Server;
let link: FaultyLink;
/** What arrived at the server; it answers each piece with the same in capitals. */
let arrived = "";
const clients: Client[] = [];

type Client = { readonly socket: Socket; readonly answers: () => string; readonly isClosed: () => boolean };

beforeEach(async () => {
  arrived = "";
  server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      arrived += bytes.toString();
      socket.write(bytes.toString().toUpperCase());
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  link = await createFaultyLink((server.address() as AddressInfo).port);
});

afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  await link.close();
  server.close();
});

function client(): Client {
  let answers = "";
  let isClosed = false;
  const socket = connect(link.port, "127.0.0.1");
  socket.on("data", (bytes) => (answers += bytes.toString()));
  socket.on("error", () => undefined);
  socket.on("close", () => (isClosed = true));
  const made = { socket, answers: () => answers, isClosed: () => isClosed };
  clients.push(made);
  return made;
}

async function eventually(condition: () => boolean): Promise<void> {
  await until(condition, AbortSignal.timeout(4_000));
}

/** A client that has been answered once. */
async function connected(): Promise<Client> {
  const made = client();
  made.socket.write("a");
  await eventually(() => made.answers() === "A");
  return made;
}

test("a cut link resets connections, also new ones, until it is healed", async () => {
  const before = await connected();
  link.fail({ kind: "cut" });
  await eventually(before.isClosed);
  const meanwhile = client();
  await eventually(meanwhile.isClosed);
  link.heal();
  await connected();
});

test("a half-open link swallows without a word, and the connection can never go on", async () => {
  const before = await connected();
  link.fail({ kind: "swallow" });
  before.socket.write("b");
  const meanwhile = client();
  meanwhile.socket.write("c");
  await connectedElsewhere();
  expect([arrived, before.isClosed(), meanwhile.isClosed()]).toEqual(["a", false, false]);
  link.heal();
  await eventually(before.isClosed);
  expect(arrived).toBe("a");
});

test("lost answers: the request arrives all the same", async () => {
  const before = await connected();
  link.fail({ kind: "lose-answers" });
  before.socket.write("b");
  await eventually(() => arrived === "ab");
  link.heal();
  await eventually(before.isClosed);
  expect(before.answers()).toBe("A");
});

test("a late request arrives after its sender has gone, and nothing overtakes it", async () => {
  const before = await connected();
  link.fail({ kind: "late" });
  before.socket.write("b");
  await connectedElsewhere();
  before.socket.destroy();
  const meanwhile = client();
  meanwhile.socket.write("c");
  await connectedElsewhere();
  expect(arrived).toBe("a");
  link.heal();
  await eventually(() => arrived === "ab");
  await eventually(meanwhile.isClosed);
});

test("a link that waits for a certain request passes all before it, and holds it and what follows", async () => {
  const [first, second] = [await connected(), await connected()];
  link.fail({ kind: "late", from: "commit" });
  first.socket.write("b");
  await eventually(() => first.answers() === "AB");
  expect(link.isHolding).toBe(false);
  first.socket.write("commit");
  await eventually(() => link.isHolding);
  second.socket.write("c");
  await connectedElsewhere();
  expect(arrived).toBe("aab");
  link.heal();
  await eventually(() => first.answers() === "ABCOMMIT" && second.answers() === "AC");
});

test("delayed bytes keep their order, also when the link is healed before they arrived", async () => {
  const before = await connected();
  link.fail({ kind: "delay", ms: 60_000 });
  before.socket.write("b");
  await connectedElsewhere();
  link.fail({ kind: "delay", ms: 1 });
  before.socket.write("c");
  await eventually(() => before.answers() === "ABC");
});

/** Longer than bytes take on loopback: a connection past the link has been made and answered. */
async function connectedElsewhere(): Promise<void> {
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  await new Promise((resolve) => {
    socket.once("connect", resolve);
  });
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  socket.destroy();
}
