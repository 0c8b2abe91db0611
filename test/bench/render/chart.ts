import { init, type EChartsCoreOption } from "echarts";

/** Charts as SVG text, drawn without a browser. */

const WIDTH = 760;
const HEIGHT = 340;

/** Bars side by side: one group per category, one colour per series. A value that is missing has no bar. */
export function barChart(input: {
  readonly title: string;
  /** What the axis measures, with its unit. */
  readonly axis: string;
  readonly categories: readonly string[];
  readonly series: readonly { readonly name: string; readonly values: readonly (number | undefined)[] }[];
  readonly isLogarithmic?: boolean;
}): string {
  return svgOf({
    ...frameOf(input.title, input.series.length > 1),
    xAxis: { type: "category", data: [...input.categories], axisLabel: { interval: 0 } },
    yAxis: { type: input.isLogarithmic === true ? "log" : "value", name: input.axis },
    series: input.series.map(({ name, values }) => ({
      type: "bar",
      name,
      data: values.map((value) => (value === undefined ? null : Number(value.toPrecision(3)))),
      label: { show: true, position: "top" },
    })),
  });
}

/** For each series, what share of its samples is at most so large. The upper end is where the differences are. */
export function distributionChart(input: {
  readonly title: string;
  readonly axis: string;
  readonly series: readonly { readonly name: string; readonly sorted: readonly number[] }[];
}): string {
  const shares = [0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1];
  return svgOf({
    ...frameOf(input.title, true),
    xAxis: { type: "category", name: "share", data: shares.map((share) => `${share * 100} %`) },
    yAxis: { type: "value", name: input.axis },
    series: input.series.map(({ name, sorted }) => ({
      type: "line",
      name,
      data: shares.map((share) => {
        const sample = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
        return sample === undefined ? null : Number(sample.toPrecision(3));
      }),
    })),
  });
}

function frameOf(title: string, hasLegend: boolean): EChartsCoreOption {
  return {
    animation: false,
    backgroundColor: "#ffffff",
    title: { text: title, left: "center", textStyle: { fontSize: 15 } },
    ...(hasLegend ? { legend: { bottom: 0 } } : {}),
    grid: { left: 70, right: 40, top: 70, bottom: hasLegend ? 60 : 40 },
  };
}

function svgOf(option: EChartsCoreOption): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height: HEIGHT });
  try {
    chart.setOption(option);
    return `${chart.renderToSVGString()}\n`;
  } finally {
    chart.dispose();
  }
}
