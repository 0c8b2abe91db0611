import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { loadYaml } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ensurePrometheus } from "../../../local/prometheus/programs.ts";
import { isDeclared, metricsIn } from "../../support/prometheus.ts";
import { ALERT_CASES, type AlertCase, type Series } from "./alert-cases.ts";

/** The alerts and recording rules, as Prometheus's own tool reads and plays them. */

const RULES = "helm/city-operator/files/rules.yaml";
/** Building Prometheus takes minutes once per machine. */
const BUILD_LIMIT_MS = 900_000;
const CALL_LIMIT_MS = 120_000;

type Rule = {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
};

const text = readFileSync(RULES, "utf8");
const rules = loadYaml<{ readonly groups: readonly { readonly rules: readonly Rule[] }[] }>(
  text,
).groups.flatMap((group) => group.rules);
const alerts = rules.filter(({ alert }) => alert !== undefined);

let promtool: string;
let directory: string;

beforeAll(async () => {
  ({ promtool } = await ensurePrometheus((line) => process.stderr.write(`${line}\n`)));
  directory = await mkdtemp(join(tmpdir(), "city-operator-rules-"));
}, BUILD_LIMIT_MS);
afterAll(async () => {
  if (directory !== undefined) await rm(directory, { recursive: true });
});

/** Resolves whatever the exit code is. */
async function run(args: readonly string[]): Promise<{ readonly code: unknown; readonly output: string }> {
  const ended = Promise.withResolvers<{ readonly code: unknown; readonly output: string }>();
  execFile(promtool, [...args], { timeout: CALL_LIMIT_MS }, (error, stdout, stderr) => {
    ended.resolve({ code: error === null ? 0 : error.code, output: `${stdout}${stderr}` });
  });
  return ended.promise;
}

function inputs(series: Series): readonly object[] {
  return Object.entries(series).map(([name, values]) => ({ series: name, values }));
}

/** The cases as promtool has them; JSON is YAML. */
async function playCases(
  rulesFile: string,
  cases: readonly AlertCase[],
): Promise<{ readonly code: unknown; readonly output: string }> {
  const tests = cases.flatMap(({ alert, fires, isSilent }) => {
    const rule = alerts.find((candidate) => candidate.alert === alert);
    const expected = {
      exp_labels: { ...rule?.labels, ...fires.labels },
      exp_annotations: { ...rule?.annotations, description: fires.description },
    };
    const at = (atMinute: number, exp_alerts: readonly object[]) => [
      { eval_time: `${atMinute}m`, alertname: alert, exp_alerts },
    ];
    return [
      {
        name: `${alert} fires`,
        interval: "1m",
        input_series: inputs(fires.series),
        alert_rule_test: at(fires.atMinute, [expected]),
      },
      ...isSilent.map(({ when, series, atMinute }) => ({
        name: `${alert} is silent when ${when}`,
        interval: "1m",
        input_series: inputs(series),
        alert_rule_test: at(atMinute, []),
      })),
    ];
  });
  const file = join(directory, "cases.json");
  await writeFile(
    file,
    JSON.stringify({ rule_files: [resolve(rulesFile)], evaluation_interval: "1m", tests }),
  );
  return run(["test", "rules", file]);
}

test("Prometheus has nothing against the rules", async () => {
  const { output, code } = await run(["check", "rules", "--lint=all", "--lint-fatal", RULES]);
  expect(output).toContain(`SUCCESS: ${rules.length} rules found`);
  expect(code).toBe(0);
});

test(
  "every alert fires when it should, says what a person needs, and is silent when it should be",
  async () => {
    const { output, code } = await playCases(RULES, ALERT_CASES);
    expect(output).toContain("SUCCESS");
    expect(code).toBe(0);
  },
  CALL_LIMIT_MS,
);

test.each([
  ["an alert that comes too late", "DispatchOrdersWait", "> 900", "> 9000"],
  ["an alert that comes too early", "DispatchOrdersWait", "> 900", "> 300"],
  [
    "a burn rate that is forgotten",
    "DispatchLate",
    "and namespace:dispatch_late:ratio_rate5m > 14.4 * 0.001)",
    ")",
  ],
])(
  "%s would be noticed",
  async (_what, alert, part, instead) => {
    expect(text).toContain(part);
    const file = join(directory, "changed.yaml");
    await writeFile(file, text.replace(part, instead));
    const { code, output } = await playCases(
      file,
      ALERT_CASES.filter((candidate) => candidate.alert === alert),
    );
    expect(output).toContain(`alertname: ${alert}`);
    expect(code).toBe(1);
  },
  CALL_LIMIT_MS,
);

describe.each(alerts.map(({ alert, ...rule }) => ({ alert: alert!, ...rule })))(
  "$alert",
  ({ alert, labels, annotations }) => {
    test("has a severity, a sentence, and a runbook that exists", () => {
      expect(Object.keys(annotations ?? {}).toSorted()).toEqual(["description", "runbook_url", "summary"]);
      expect(["page", "ticket"]).toContain(labels?.["severity"]);
      expect(existsSync(annotations?.["runbook_url"] ?? "")).toBe(true);
    });

    test("is named by its runbook, and by the page on monitoring", () => {
      expect(readFileSync(annotations?.["runbook_url"] ?? "", "utf8")).toContain(`\`${alert}\``);
      expect(readFileSync("docs/monitoring.md", "utf8")).toContain(`\`${alert}\``);
    });

    test("is played firing and silent", () => {
      const cases = ALERT_CASES.filter((candidate) => candidate.alert === alert);
      expect(cases.length).toBeGreaterThan(0);
      expect(cases.flatMap(({ isSilent }) => isSilent).length).toBeGreaterThan(0);
    });
  },
);

test("every metric in a rule is one that the code has, or a rule records", () => {
  const recorded = new Set(rules.map(({ record }) => record));
  const asked = rules.flatMap(({ expr }) => metricsIn(expr));
  expect(asked.length).toBeGreaterThan(rules.length);
  expect(asked.filter((name) => !recorded.has(name) && !isDeclared(name))).toEqual([]);
});
