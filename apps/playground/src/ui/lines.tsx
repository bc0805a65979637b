import 'uplot/dist/uPlot.min.css';
import { useEffect, useRef } from 'preact/hooks';
import UPlot from 'uplot';

export interface Line {
  readonly name: string;
  readonly values: readonly (number | null)[];
  /** A colour of the theme: `--accent`. */
  readonly colour: string;
}

interface LinesProps {
  readonly x: readonly number[];
  readonly lines: readonly Line[];
  readonly xLabel: string;
  readonly yLabel: string;
  readonly logX?: boolean;
  readonly logY?: boolean;
  readonly yText: (value: number) => string;
  /** For who does not see the chart. */
  readonly label: string;
}

const HEIGHT = 260;

/** A chart of a few lines, as wide as there is room. */
export function Lines({ x, lines, xLabel, yLabel, logX = false, logY = false, yText, label }: LinesProps) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const style = getComputedStyle(document.body);
    const of = (name: string): string => resolved(element, name);
    const axis = {
      stroke: of('--ink-soft'),
      grid: { stroke: of('--line'), width: 1 },
      ticks: { stroke: of('--line'), width: 1 },
      font: `12px ${style.fontFamily}`,
    };
    const plot = new UPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        scales: { x: { time: false, distr: logX ? 3 : 1 }, y: { distr: logY ? 3 : 1 } },
        series: [
          { label: xLabel },
          ...lines.map(({ name, colour }) => ({
            ...{ label: name, stroke: of(colour), width: 2, points: { show: x.length < 24, size: 6 } },
            value: (_: UPlot, value: number | null) => (value === null ? '–' : yText(value)),
          })),
        ],
        axes: [
          { ...axis, label: xLabel, labelSize: 20, labelFont: axis.font },
          {
            ...axis,
            label: yLabel,
            labelSize: 20,
            labelFont: axis.font,
            size: 70,
            values: (_, splits) => splits.map((value) => (value === null ? '' : yText(value))),
          },
        ],
      },
      [[...x], ...lines.map(({ values }) => [...values])],
      element,
    );
    // The legend tells of the place under the pointer, and of the last one where there is none.
    const last = { idx: x.length - 1 };
    plot.setLegend(last);
    const leave = (): void => plot.setLegend(last);
    plot.over.addEventListener('mouseleave', leave);
    const resize = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      plot.destroy();
    };
  }, [x, lines, xLabel, yLabel, logX, logY, yText]);
  return <div ref={box} class="lines" role="img" aria-label={label} />;
}

function resolved(element: HTMLElement, name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
