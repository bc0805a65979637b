import { useEffect, useRef, useState } from 'preact/hooks';

interface HeatMapProps {
  /** Row-major. */
  readonly data: ArrayLike<number>;
  readonly rows: number;
  readonly columns: number;
  readonly label: string;
  /** A row that is looked at. */
  readonly row?: number | undefined;
  /** What is said of a cell under the pointer. */
  readonly tell: (row: number, column: number, value: number) => string;
  readonly onRow?: ((row: number) => void) | undefined;
}

type Colour = readonly [number, number, number];

/** Numbers as colours: positive ones in the page's accent, negative ones in its warm colour, roots of them so that small ones are seen. */
export function HeatMap({ data, rows, columns, label, row, tell, onRow }: HeatMapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [told, setTold] = useState('');
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (context) draw(context, data, rows, columns);
  }, [data, rows, columns]);
  const cell = (event: PointerEvent): readonly [number, number] => {
    const box = canvas.current?.getBoundingClientRect() ?? new DOMRect();
    const place = (at: number, size: number, count: number): number =>
      Math.min(count - 1, Math.max(0, Math.floor((at / size) * count)));
    return [place(event.clientY - box.top, box.height, rows), place(event.clientX - box.left, box.width, columns)];
  };
  return (
    <figure class="heat">
      <div class="cells" style={{ '--row': row ?? -1, '--rows': rows, aspectRatio: `${columns} / ${rows}` }}>
        <canvas
          ref={canvas}
          width={columns}
          height={rows}
          role="img"
          aria-label={label}
          onPointerMove={(event) => {
            const [y, x] = cell(event);
            setTold(tell(y, x, data[y * columns + x] ?? 0));
          }}
          onPointerLeave={() => setTold('')}
          onPointerDown={(event) => onRow?.(cell(event)[0])}
        />
        {row !== undefined && <span class="row" aria-hidden="true" />}
      </div>
      <figcaption>{told || label}</figcaption>
    </figure>
  );
}

function draw(context: CanvasRenderingContext2D, data: ArrayLike<number>, rows: number, columns: number): void {
  const image = context.createImageData(columns, rows);
  const [positive, negative] = [colour('--accent'), colour('--warm')];
  let most = 1e-12;
  for (let i = 0; i < data.length; i++) most = Math.max(most, Math.abs(data[i] ?? 0));
  for (let i = 0; i < rows * columns; i++) {
    const value = data[i] ?? 0;
    const hue = value < 0 ? negative : positive;
    image.data.set([...hue, 255 * Math.sqrt(Math.abs(value) / most)], 4 * i);
  }
  context.putImageData(image, 0, 0);
}

/** A colour of the page's theme as the screen has it. */
function colour(name: string): Colour {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const [red = 0, green = 0, blue = 0] = (getComputedStyle(probe).color.match(/[\d.]+/g) ?? []).map(Number);
  probe.remove();
  return [red, green, blue];
}
