import { execFileSync } from "node:child_process";
import { chromium, type Browser, type Page } from "playwright-core";

/** A real Chromium, which the machine has: Debian's package `chromium`, or the one that CHROMIUM names. */

export type Scheme = "light" | "dark";

export async function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath(),
    // As root, and in containers, Chromium's own sandbox does not start; it shows nothing here but our own page.
    args: ["--no-sandbox"],
  });
}

function chromiumPath(): string {
  const given = process.env["CHROMIUM"];
  if (given !== undefined) return given;
  try {
    return execFileSync("sh", ["-c", "command -v chromium || command -v chromium-browser"], {
      encoding: "utf8",
    }).trim();
  } catch {
    throw new Error(
      "chromium is missing: install it (Debian: apt-get install chromium), or set CHROMIUM to its path",
    );
  }
}

/** A page that fails the test for whatever the browser complains of, and for every request that goes elsewhere. */
export async function openPage(
  browser: Browser,
  url: string,
  { scheme, complaints }: { readonly scheme: Scheme; readonly complaints: string[] },
): Promise<Page> {
  const page = await browser.newPage({
    colorScheme: scheme,
    reducedMotion: "reduce",
    viewport: { width: 1360, height: 800 },
  });
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith(url)) complaints.push(`asks ${request.url()}`);
  });
  await page.goto(url);
  await page.locator("#connection", { hasText: "live" }).waitFor();
  return page;
}
