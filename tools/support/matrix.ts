/** What each backend does of each thing, out of the results of the conformance suite. */

export interface Result {
  readonly backend: string;
  readonly id: string;
  readonly status: string;
  readonly errors?: Readonly<Record<string, { readonly nmse: number }>>;
}

/** One place of a table: the worst of all checks that belong there. */
export interface Cell {
  readonly status: 'passed' | 'failed' | 'unsupported';
  /** Of the worst normalised mean squared error: the power of ten that is not below it; undefined for none at all. */
  readonly decade: number | undefined;
}

export interface Table {
  readonly title: string;
  readonly about: string;
  /** By row and backend. */
  readonly rows: ReadonlyMap<string, ReadonlyMap<string, Cell>>;
}

const STORED = /\b(f16|bf16|q8_0|q4_0|q4_1|q5_0|q5_1|q4_k|q5_k|q6_k)\b/;
const MODEL = /^golden\/logits\/models\/rwkv(\d+)_[^/]*?(?:\.(f32|fp16|f16|bf16|q\w+))?\.(pth|safetensors|gguf)/;
const VERSIONS: Readonly<Record<string, string>> = { '50': '5.0', '51': '5.1', '5': '5.2' };

/** The row that a check counts for, or undefined where it belongs to another table. */
type RowOf = (id: string) => string | undefined;

const TABLES: readonly { readonly title: string; readonly about: string; readonly rowOf: RowOf }[] = [
  {
    title: 'Ops',
    about: 'Against the reference in f64; the reference against itself in another run, and known values.',
    rowOf: (id) => (/^\w+\/(f32|decomposed)\//.test(id) && !STORED.test(id) ? id.split('/')[0] : undefined),
  },
  {
    title: 'Gradients',
    about:
      'Of every f32 input, against the reference. Sums whose terms cancel (the losses themselves) are not counted.',
    rowOf: (id) => (/^\w+\/gradient\//.test(id) && !STORED.test(id) ? id.split('/')[0] : undefined),
  },
  {
    title: 'Weights as they are stored',
    about:
      'The same ops with a weight of another type than f32, in the file; what a backend holds it as is its own matter.',
    rowOf: (id) => {
      const type = /^\w+\/f32\//.test(id) ? STORED.exec(id)?.[0] : undefined;
      return type === undefined ? undefined : `${id.split('/')[0]} ${type}`;
    },
  },
  {
    title: 'Models',
    about: 'Logits of whole models against outside float64 results, by version and by what the file holds.',
    rowOf: (id) => {
      const [, version = '', type = 'f32', format] = MODEL.exec(id) ?? [];
      return version === ''
        ? undefined
        : `RWKV-${VERSIONS[version] ?? version} ${type.replace('fp16', 'f16')} .${format}`;
    },
  },
  {
    title: 'Identities and execution',
    about:
      'What must agree with itself: prefill and decode, batches, loops, states saved and forked; how graphs are run.',
    rowOf: (id) => (/^(identity|graph)\//.test(id) ? id.split('/').slice(0, 2).join(': ') : undefined),
  },
];

export function tablesOf(results: readonly Result[]): Table[] {
  return TABLES.map(({ title, about, rowOf }) => {
    const rows = new Map<string, Map<string, Cell>>();
    for (const result of results) {
      const name = rowOf(result.id);
      if (name === undefined) continue;
      const row = rows.get(name) ?? new Map<string, Cell>();
      rows.set(name, row.set(result.backend, worse(row.get(result.backend), cellOf(result))));
    }
    return { title, about, rows: new Map([...rows].sort(([a], [b]) => (a < b ? -1 : 1))) };
  });
}

function cellOf({ status, errors = {} }: Result): Cell {
  const known = status === 'passed' || status === 'unsupported' ? status : 'failed';
  const worst = Math.max(0, ...Object.entries(errors).map(([name, { nmse }]) => (name === 'loss' ? 0 : nmse)));
  return { status: known, decade: worst === 0 ? undefined : Math.ceil(Math.log10(worst)) };
}

const ORDER = ['passed', 'unsupported', 'failed'] as const;

function worse(a: Cell | undefined, b: Cell): Cell {
  if (a === undefined) return b;
  const [later] = [a.status, b.status].toSorted((x, y) => ORDER.indexOf(y) - ORDER.indexOf(x));
  const decades = [a.decade, b.decade].filter((decade) => decade !== undefined);
  return { status: later ?? 'failed', decade: decades.length === 0 ? undefined : Math.max(...decades) };
}
