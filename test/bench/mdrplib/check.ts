import { readFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Holds a solution against its instance, rule by rule. It reads the files alone, and shares no code with what wrote them.
 * Rules: "The Meal Delivery Routing Problem" (Reyes, Erera, Savelsbergh, Sahasrabudhe, O'Neil 2018), and the library's own
 * evaluator, which lets a courier move before the decision that sends him or her; this one does not.
 */

type Table = readonly (readonly string[])[];
type Place = { readonly x: number; readonly y: number };
type Order = Place & {
  readonly placed: number;
  readonly restaurant: string;
  readonly ready: number;
};
type Courier = Place & { readonly on: number; readonly off: number };
type Assignment = {
  readonly decided: number;
  readonly pickup: number;
  readonly courier: string;
  readonly orders: readonly string[];
};
type Move = { readonly departure: number; readonly origin: string; readonly destination: string };
type Delivery = { readonly pickup: number; readonly dropoff: number; readonly courier: string };

type Instance = {
  readonly metersPerMinute: number;
  readonly pickupService: number;
  readonly dropoffService: number;
  readonly orders: ReadonlyMap<string, Order>;
  readonly couriers: ReadonlyMap<string, Courier>;
  readonly places: ReadonlyMap<string, Place>;
};

type Solution = {
  readonly assignments: readonly Assignment[];
  readonly deliveries: ReadonlyMap<string, Delivery>;
  readonly rows: Table;
  readonly moves: ReadonlyMap<string, readonly Move[]>;
};

/** What is wrong with it, in sentences; nothing when it is feasible. */
export async function checkSolution(instanceFolder: string, solutionFolder: string): Promise<string[]> {
  const instance = await readInstance(instanceFolder);
  const solution = await readSolution(solutionFolder);
  const wrong = [...checkOrders(instance, solution), ...checkAssignments(instance, solution)];
  const byCourier = Map.groupBy(solution.assignments, ({ courier }) => courier);
  for (const id of new Set([...byCourier.keys(), ...solution.moves.keys()])) {
    const courier = instance.couriers.get(id);
    if (courier === undefined) wrong.push(`there is no courier ${id}`);
    else {
      const moves = solution.moves.get(id) ?? [];
      wrong.push(...checkMoves(instance, id, courier, moves));
      wrong.push(...checkDay(instance, solution, { id, moves, assignments: byCourier.get(id) ?? [] }));
    }
  }
  return wrong;
}

/** Every order of the instance once, with its own times, and delivered if and only if it is in one assignment. */
function checkOrders(instance: Instance, { assignments, deliveries, rows }: Solution): string[] {
  const wrong: string[] = [];
  const listed = rows.map(([id = ""]) => id);
  if (listed.toSorted().join() !== [...instance.orders.keys()].toSorted().join()) {
    wrong.push("the orders of the solution are not those of the instance, each once");
  }
  for (const [id = "", placed, restaurant, ready] of rows) {
    const order = instance.orders.get(id);
    if (order === undefined) continue;
    if (Number(placed) !== order.placed || Number(ready) !== order.ready || restaurant !== order.restaurant) {
      wrong.push(`${id} is not as the instance says`);
    }
  }
  const assigned = assignments.flatMap(({ orders }) => orders);
  if (new Set(assigned).size < assigned.length) wrong.push("an order is assigned twice");
  if (assigned.toSorted().join() !== [...deliveries.keys()].toSorted().join()) {
    wrong.push("the orders that are assigned are not those that are delivered");
  }
  return wrong;
}

function checkAssignments(instance: Instance, { assignments, deliveries }: Solution): string[] {
  const wrong: string[] = [];
  for (const { decided, pickup, courier: courierId, orders } of assignments) {
    const courier = instance.couriers.get(courierId);
    const name = `${courierId} with ${orders.join(" ")}`;
    const known = orders.flatMap((id) => instance.orders.get(id) ?? []);
    if (known.length !== orders.length || known.length === 0) wrong.push(`${name}: unknown orders`);
    if (new Set(known.map(({ restaurant }) => restaurant)).size > 1) wrong.push(`${name}: two restaurants`);
    if (known.some(({ placed }) => decided < placed)) wrong.push(`${name}: decided before it was placed`);
    if (known.some(({ ready }) => pickup < ready)) wrong.push(`${name}: picked up before it was ready`);
    if (courier !== undefined && decided < courier.on) wrong.push(`${name}: decided before the shift`);
    if (courier !== undefined && pickup > courier.off) wrong.push(`${name}: picked up after the shift`);
    for (const id of orders) {
      const delivery = deliveries.get(id);
      if (delivery?.courier !== courierId || delivery.pickup !== pickup) {
        wrong.push(`${id}: the tables do not agree on who picked it up, and when`);
      }
    }
  }
  return wrong;
}

/** No courier is in two places, starts before on-time, or travels faster than the instance allows. */
function checkMoves(instance: Instance, id: string, courier: Courier, moves: readonly Move[]): string[] {
  const wrong: string[] = [];
  let at = id;
  let free = courier.on;
  for (const { departure, origin, destination } of moves) {
    const from = instance.places.get(origin);
    const to = instance.places.get(destination);
    if (from === undefined || to === undefined) return [...wrong, `${id}: moves to an unknown place`];
    if (origin !== at) wrong.push(`${id}: leaves ${origin}, but is at ${at}`);
    if (departure < free) wrong.push(`${id}: leaves ${origin} at ${departure}, but is there at ${free}`);
    at = destination;
    free = departure + minutesBetween(instance, from, to);
  }
  return wrong;
}

/** Follows the assignments one after the other along the moves: where each order changes hands, the courier is and handles it. */
function checkDay(
  instance: Instance,
  { deliveries }: Solution,
  day: {
    readonly id: string;
    readonly moves: readonly Move[];
    readonly assignments: readonly Assignment[];
  },
): string[] {
  const wrong: string[] = [];
  const visits = visitsOf(instance, day.moves);
  let last = -1;
  const visit = (place: string, minute: number, service: number, decided: number, what: string): void => {
    const index = visits.findIndex(
      (one, number) =>
        number > last &&
        one.place === place &&
        one.arrival <= minute - service / 2 &&
        one.departure >= minute + service / 2,
    );
    if (index === -1) wrong.push(`${day.id} is not at ${place} for ${what} at ${minute}`);
    else if ((visits[index]?.setOff ?? 0) < decided) wrong.push(`${day.id}: on the way before the decision`);
    else last = index;
  };
  for (const { decided, pickup, orders } of day.assignments.toSorted((a, b) => a.pickup - b.pickup)) {
    const restaurant = instance.orders.get(orders[0] ?? "")?.restaurant ?? "";
    visit(restaurant, pickup, instance.pickupService, decided, "the pickup");
    for (const id of orders) {
      const dropoff = deliveries.get(id)?.dropoff ?? Number.NaN;
      visit(id, dropoff, instance.dropoffService, decided, "the dropoff");
    }
  }
  return wrong;
}

type Visit = {
  readonly place: string;
  /** When the way there began. */
  readonly setOff: number;
  readonly arrival: number;
  readonly departure: number;
};

function visitsOf(instance: Instance, moves: readonly Move[]): readonly Visit[] {
  return moves.map(({ departure, origin, destination }, index) => {
    const from = instance.places.get(origin) ?? { x: Number.NaN, y: Number.NaN };
    const to = instance.places.get(destination) ?? from;
    const arrival = departure + minutesBetween(instance, from, to);
    return {
      place: destination,
      setOff: departure,
      arrival,
      departure: moves[index + 1]?.departure ?? Infinity,
    };
  });
}

function minutesBetween({ metersPerMinute }: Instance, from: Place, to: Place): number {
  return Math.ceil(Math.sqrt((to.x - from.x) ** 2 + (to.y - from.y) ** 2) / metersPerMinute);
}

async function readInstance(folder: string): Promise<Instance> {
  const [parameters, restaurants, orders, couriers] = await Promise.all(
    ["instance_parameters", "restaurants", "orders", "couriers"].map((name) =>
      readTable(join(folder, `${name}.txt`), "\t"),
    ),
  );
  const [metersPerMinute, pickupService, dropoffService] = (parameters?.[0] ?? []).map(Number);
  const places = new Map<string, Place>();
  for (const [id = "", x, y] of [...(restaurants ?? []), ...(orders ?? []), ...(couriers ?? [])]) {
    places.set(id, { x: Number(x), y: Number(y) });
  }
  return {
    metersPerMinute: metersPerMinute ?? Number.NaN,
    pickupService: pickupService ?? Number.NaN,
    dropoffService: dropoffService ?? Number.NaN,
    orders: new Map(
      (orders ?? []).map(([id = "", x, y, placed, restaurant = "", ready]) => [
        id,
        { x: Number(x), y: Number(y), placed: Number(placed), restaurant, ready: Number(ready) },
      ]),
    ),
    couriers: new Map(
      (couriers ?? []).map(([id = "", x, y, on, off]) => [
        id,
        { x: Number(x), y: Number(y), on: Number(on), off: Number(off) },
      ]),
    ),
    places,
  };
}

async function readSolution(folder: string): Promise<Solution> {
  const [assignments, orders, couriers] = await Promise.all(
    ["assignments", "orders", "couriers"].map((name) =>
      readTable(join(folder, `solution_info_${name}.txt`), " "),
    ),
  );
  const moves = (couriers ?? []).map(([courier = "", departure, origin = "", destination = ""]) => ({
    courier,
    departure: Number(departure),
    origin,
    destination,
  }));
  return {
    assignments: (assignments ?? []).map(([decided, pickup, courier = "", ...ids]) => ({
      decided: Number(decided),
      pickup: Number(pickup),
      courier,
      orders: ids,
    })),
    rows: orders ?? [],
    deliveries: new Map(
      (orders ?? [])
        .filter((row) => row[6] !== "NA")
        .map(([id = "", , , , pickup, dropoff, courier = ""]) => [
          id,
          { pickup: Number(pickup), dropoff: Number(dropoff), courier },
        ]),
    ),
    moves: Map.groupBy(moves, ({ courier }) => courier),
  };
}

async function readTable(file: string, separator: string): Promise<Table> {
  const [, ...lines] = (await readFile(file, "utf8")).split("\n").filter((line) => line.trim() !== "");
  return lines.map((line) => line.trim().split(separator));
}
