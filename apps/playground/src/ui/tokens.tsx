import { Component } from 'preact';
import { useState } from 'preact/hooks';
import { text } from '../text.ts';
import type { PieceMessage } from '../worker/protocol.ts';
import { percent, visible } from './format.ts';

/** Which token is looked at: by the pointer, or by the arrow keys. */
interface Looked {
  readonly chunk: number;
  readonly index: number;
  readonly left: number;
  readonly top: number;
}

/**
 * What a model wrote. Where there are probabilities, a token that was unlikely is marked the stronger the unlikelier it
 * was, and each shows its rivals: under the pointer, or with the arrow keys.
 */
export function Tokens({
  chunks,
  writing,
}: {
  readonly chunks: readonly (readonly PieceMessage[])[];
  readonly writing: boolean;
}) {
  const [looked, setLooked] = useState<Looked>();
  const piece = looked === undefined ? undefined : chunks[looked.chunk]?.[looked.index];
  const hasProbabilities = chunks[0]?.[0]?.probability !== undefined;
  if (!hasProbabilities) return <Plain chunks={chunks} writing={writing} />;

  const look = (target: EventTarget | null): void => {
    if (!(target instanceof HTMLElement) || target.dataset['token'] === undefined) return setLooked(undefined);
    const [chunk = 0, index = 0] = target.dataset['token'].split('.').map(Number);
    setLooked({ chunk, index, left: target.offsetLeft, top: target.offsetTop + target.offsetHeight });
  };
  const step = (event: KeyboardEvent): void => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === 'Escape') return setLooked(undefined);
    if (by === undefined || !(event.currentTarget instanceof HTMLElement)) return;
    event.preventDefault();
    const tokens = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-token]')];
    const now =
      looked === undefined
        ? -1
        : tokens.findIndex((token) => token.dataset['token'] === `${looked.chunk}.${looked.index}`);
    look(tokens[Math.min(tokens.length - 1, Math.max(0, now + by))] ?? null);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for controls, and this is text
    <span
      class="tokens"
      role="group"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: its tokens are walked through by the arrow keys
      tabIndex={0}
      aria-label={text.tokens.label}
      onPointerOver={({ target }) => look(target)}
      onPointerLeave={() => setLooked(undefined)}
      onBlur={() => setLooked(undefined)}
      onKeyDown={step}
    >
      {chunks.map((chunk, i) => (
        <Chunk key={i} pieces={chunk} number={i} looked={looked?.chunk === i ? looked.index : -1} />
      ))}
      {writing && <span class="caret" aria-hidden="true" />}
      {piece !== undefined && looked !== undefined && <Rivals piece={piece} at={looked} />}
    </span>
  );
}

function Plain({
  chunks,
  writing,
}: {
  readonly chunks: readonly (readonly PieceMessage[])[];
  readonly writing: boolean;
}) {
  return (
    <span class="tokens">
      {chunks.map((chunk, i) => (
        <span key={i}>{chunk.map((piece) => piece.text).join('')}</span>
      ))}
      {writing && <span class="caret" aria-hidden="true" />}
    </span>
  );
}

interface ChunkProps {
  readonly pieces: readonly PieceMessage[];
  readonly number: number;
  readonly looked: number;
}

/** Drawn again only when its own tokens change: a text may be of thousands. */
class Chunk extends Component<ChunkProps> {
  override shouldComponentUpdate({ pieces, looked }: ChunkProps): boolean {
    return pieces !== this.props.pieces || looked !== this.props.looked;
  }

  override render({ pieces, number, looked }: ChunkProps) {
    return (
      <span>
        {pieces.map(({ text: shown, probability = 1 }, i) => (
          <span
            key={i}
            data-token={`${number}.${i}`}
            class={i === looked ? 'token looked' : 'token'}
            style={probability < 0.5 ? { '--surprise': surprise(probability) } : undefined}
          >
            {shown}
          </span>
        ))}
      </span>
    );
  }
}

/** 0 for what was likely, 1 at a thousandth. */
function surprise(probability: number): string {
  return Math.min(1, -Math.log10(Math.max(probability, 1e-9)) / 3).toFixed(2);
}

function Rivals({ piece, at }: { readonly piece: PieceMessage; readonly at: Looked }) {
  const { likeliest = [], probability = 0 } = piece;
  return (
    <span class="rivals" role="status" style={{ '--left': `${at.left}px`, '--top': `${at.top}px` }}>
      <span class="rival chosen">
        <code>{visible(piece.text)}</code>
        <span>{text.tokens.chosen(percent(probability))}</span>
      </span>
      {likeliest.map(({ text: rival, probability: of }) => (
        <span class="rival" key={rival}>
          <code>{visible(rival)}</code>
          <span class="bar" style={{ '--share': of.toFixed(3) }} />
          <span class="number">{percent(of)}</span>
        </span>
      ))}
    </span>
  );
}
