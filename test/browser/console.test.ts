import { mkdir } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import axe, { type AxeResults } from "axe-core";
import type { Browser, Page } from "playwright-core";
import { syntheticManifests } from "../../local/demo/manifests.ts";
import { startTraffic, type Traffic } from "../../local/demo/traffic.ts";
import { awaitConsoleUrl } from "../../local/stack/console-url.ts";
import { START_LIMIT_MS } from "../support/kube.ts";
import { startProduct, type Product } from "../support/product.ts";
import { happensWithin } from "../support/until.ts";
import { launchChromium, openPage, type Scheme } from "./browser.ts";

/** The console as people see it: a real Chromium on a real product with traffic. Writes the pictures of docs/console.md. */

const PICTURES = "docs/console";
const SCHEMES: readonly Scheme[] = ["light", "dark"];
const LIMIT_MS = 60_000;
const TICKS_AFTER_MS = 6_000;
/** So that there is a strip to look at. */
const ENOUGH_TICKS = 25;
let product: Product;
let traffic: Traffic;
let browser: Browser;
let url: string;
const complaints: string[] = [];
const pages: Page[] = [];

beforeAll(
  async () => {
    await mkdir(PICTURES, { recursive: true });
    product = await startProduct({
      cities: [],
      launch: async (stack) => {
        for (const name of ["operator-1", "operator-2"])
          stack.startOperator(name, { CONSOLE: "on", CONSOLE_PORT: "0" });
        for (const [index, name] of ["worker-1", "worker-2", "worker-3"].entries())
          stack.startWorker(name, { WORKER_ZONE: `zone-${index + 1}` });
      },
    });
    const { stack } = product;
    const items = syntheticManifests();
    const { code, stderr } = await stack.api.kubectl(["apply", "-f", "-"], {
      input: JSON.stringify({ apiVersion: "v1", kind: "List", items }),
    });
    if (code !== 0) throw new Error(stderr);
    const cities = items.map(({ metadata }) => metadata.name);
    traffic = startTraffic({ stack, cities, day: undefined, speed: 1, seed: 7 });
    const signal = AbortSignal.timeout(LIMIT_MS);
    url = await awaitConsoleUrl({ directory: stack.directory, operator: "operator-1" }, signal);
    browser = await launchChromium();
    await happensWithin(2 * LIMIT_MS, `tick ${ENOUGH_TICKS} of madrid`, async () => {
      const [row] = await product.query("SELECT MAX(tick) AS tick FROM tick WHERE city = 'madrid'");
      return Number(row?.["tick"]) >= ENOUGH_TICKS;
    });
  },
  START_LIMIT_MS + 2 * LIMIT_MS,
);

afterAll(async () => {
  await browser?.close();
  await traffic?.stop();
  await product?.stop();
}, LIMIT_MS);

afterEach(async () => {
  await Promise.all(pages.splice(0).map((page) => page.close()));
  expect(complaints.splice(0)).toEqual([]);
});

async function openConsole(scheme: Scheme = "light", hash = ""): Promise<Page> {
  const page = await openPage(browser, url, { scheme, complaints });
  pages.push(page);
  if (hash !== "") await page.goto(`${url}${hash}`);
  return page;
}

type Axe = { run(): Promise<AxeResults> };

/** What axe finds wrong: roles, names, contrast, focus, headings. */
async function offencesOf(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: Axe };
    return (await axe.run()).violations.map(({ id, nodes }) => ({
      id,
      nodes: nodes.map(({ html }) => html),
    }));
  });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).join(" ")}`);
}

const focusOf = (page: Page): Promise<string> => page.evaluate("document.activeElement?.id ?? ''");
const activeCity = async (page: Page): Promise<string> =>
  (await page.locator("#grid-active").textContent())?.split(":")[0] ?? "";

describe.each(SCHEMES)("in a %s scheme", (scheme) => {
  test("the fleet is a grid of cities beside its workers and moves, and a picture of it is kept", async () => {
    const page = await openConsole(scheme);
    await page.locator("#worker-rows tr").nth(2).waitFor();
    expect(await page.locator("#counts").innerText()).toContain("5");
    expect(await page.locator("#replica").innerText()).toMatch(/^operator-1, (leads|stands by)$/);
    expect(await page.getByRole("listbox").getByRole("option").getAttribute("aria-setsize")).toBe("5");
    expect(await offencesOf(page)).toEqual([]);
    await page.screenshot({ path: `${PICTURES}/fleet-${scheme}.png` });
  });

  test("a city has a strip of slots, a map and decisions, and a picture of it is kept", async () => {
    const page = await openConsole(scheme, "#/city/madrid");
    await page.locator("#decision-rows tr").first().waitFor();
    await page.locator("#order-rows tr").first().waitFor();
    expect(await page.getByRole("heading", { level: 1 }).innerText()).toBe("madrid");
    expect(await page.locator("#slots-summary").innerText()).toMatch(/^The last \d+ ticks, .* slots? missed/);
    expect(await page.locator("#map-summary").innerText()).toMatch(/^\d+ open orders of \d+ stores/);
    expect(await page.locator("#condition-rows tr").count()).toBe(4);
    expect(await offencesOf(page)).toEqual([]);
    await page.screenshot({ path: `${PICTURES}/city-${scheme}.png`, fullPage: true });
  });
});

test("light and dark are different pages to the eye", async () => {
  const grounds = await Promise.all(
    SCHEMES.map(async (scheme) => {
      const page = await openConsole(scheme);
      return page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
    }),
  );
  expect(new Set(grounds).size).toBe(2);
});

describe("with the keyboard alone", () => {
  test("one goes through the cities, opens one and comes back to where one was", async () => {
    const page = await openConsole();
    await page.locator("#worker-rows tr").first().waitFor();
    await page.locator("#grid").focus();
    expect(await activeCity(page)).toBe("berlin");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("End");
    expect(await activeCity(page)).toBe("paris");
    await page.keyboard.press("ArrowLeft");
    expect(await activeCity(page)).toBe("madrid");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "madrid" }).waitFor();
    expect(await focusOf(page)).toBe("city");
    await page.keyboard.press("Escape");
    await page.getByRole("heading", { level: 1, name: "Cities" }).waitFor();
    expect([await focusOf(page), await activeCity(page)]).toEqual(["grid", "madrid"]);
  });

  test("one searches by / and sees the cities that match alone", async () => {
    const page = await openConsole();
    await page.locator("#worker-rows tr").first().waitFor();
    await page.keyboard.press("/");
    expect(await focusOf(page)).toBe("search");
    await page.keyboard.type("lon");
    await page.locator('#grid-active[aria-setsize="1"]').waitFor({ state: "attached" });
    expect(await activeCity(page)).toBe("london");
    await page.keyboard.press("Escape");
    expect(await focusOf(page)).toBe("grid");
  });

  test("the first Tab leads to a link past the header, and it works", async () => {
    const page = await openConsole();
    await page.keyboard.press("Tab");
    expect(await focusOf(page)).toBe("skip");
    await page.keyboard.press("Enter");
    expect(await focusOf(page)).toBe("grid");
  });
});

test("an order's story is told beside its map, and a picture of it is kept", async () => {
  const page = await openConsole("light", "#/city/madrid");
  await page.locator("#order-rows a").first().click();
  await page.locator("#story li").first().waitFor();
  expect(await page.locator("#story-title").innerText()).toMatch(/^The story of order /);
  expect(await page.locator("#story").innerText()).toContain("placed");
  expect(await focusOf(page)).toBe("story-title");
  await page.locator("#story-section").screenshot({ path: `${PICTURES}/story.png` });
});

test(
  "a killed worker shows as a move with its cause, and as a hole in its city's slots",
  async () => {
    const page = await openConsole();
    await page.locator("#worker-rows tr").nth(2).waitFor();
    const victim = String((await product.city("madrid"))?.status?.assignment?.worker);
    const pod = victim.replace(/-[0-9a-f]+$/, "");
    product.stack.processes.get(pod)?.signal("SIGKILL");
    const move = page.locator("#move-rows tr", { hasText: "madrid" }).filter({ hasText: "holder-gone" });
    await move.first().waitFor();
    await page.screenshot({ path: `${PICTURES}/takeover.png` });
    await page.goto(`${url}#/city/madrid`);
    await page.locator("#slots-summary", { hasText: "then" }).waitFor();
    expect(await page.locator("#slots-summary").innerText()).toMatch(
      new RegExp(`Held by .*${pod}.*, then worker-`),
    );
    // Some of its ticks, to be seen in the picture.
    await page.waitForTimeout(TICKS_AFTER_MS);
    await page
      .locator("section", { has: page.locator("#slots") })
      .screenshot({ path: `${PICTURES}/slots.png` });
  },
  LIMIT_MS,
);

test(
  "a lost operator is said to be lost, and the page comes back by itself with the next one",
  async () => {
    const page = await openConsole();
    const port = new URL(url).port;
    await product.stack.processes.get("operator-1")?.stop();
    await page.locator("#connection", { hasText: "lost" }).waitFor();
    product.stack.startOperator("operator-1", { CONSOLE: "on", CONSOLE_PORT: port });
    await page.locator("#connection", { hasText: "live" }).waitFor();
    // The browser says that a connection was refused: this once it is meant to.
    expect(complaints.splice(0).every((complaint) => complaint.includes("net::ERR_"))).toBe(true);
  },
  LIMIT_MS,
);
