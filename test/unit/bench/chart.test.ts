import { expect, test } from "@jest/globals";
import { barChart, distributionChart } from "../../bench/render/chart.ts";

const BARS = {
  title: "Writes",
  axis: "per second",
  categories: ["100 cities", "1,000 cities"],
  series: [{ name: "writes", values: [21.34, undefined] }],
};

/** The texts of a chart, in their order. */
function textsOf(svg: string): readonly string[] {
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text ?? "");
}

test("a bar chart says what it shows, with its unit, its categories and the value on each bar", () => {
  const texts = textsOf(barChart(BARS));
  expect(texts).toEqual(
    expect.arrayContaining(["Writes", "per second", "100 cities", "1,000 cities", "21.3"]),
  );
});

test("the same input draws the same chart", () => {
  expect(textsOf(barChart(BARS))).toEqual(textsOf(barChart(BARS)));
});

test("a distribution shows the upper end of its samples", () => {
  const sorted = Array.from({ length: 1_000 }, (_, index) => index);
  const texts = textsOf(
    distributionChart({ title: "Lateness", axis: "ms", series: [{ name: "ticks", sorted }] }),
  );
  expect(texts).toEqual(expect.arrayContaining(["Lateness", "ms", "ticks", "99.9 %", "100 %"]));
});
