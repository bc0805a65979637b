import { change, settings } from '../store/settings.ts';
import { isWriting, removeEverything, removeText, show, trees } from '../store/texts.ts';
import { type Kind, nodeAt, type TextSummary, textsOf } from '../store/tree.ts';
import { text } from '../text.ts';
import { Button } from './button.tsx';

const words = text.texts;

/** The texts of this model that are kept in this browser, to be gone on with or removed. */
export function TextsList({ kind }: { readonly kind: Kind }) {
  const tree = trees[kind].value;
  const texts = textsOf(tree, kind);
  const shown = nodeAt(tree, tree.leaf)?.textId;
  return (
    <section class="texts" aria-label={words.title[kind]}>
      <h2>{words.title[kind]}</h2>
      {texts.length > 0 && (
        <ul>
          {texts.map((summary) => (
            <Item key={summary.textId} kind={kind} summary={summary} shown={summary.textId === shown} />
          ))}
        </ul>
      )}
      <div class="keep">
        <label class="check" title={words.keepAbout}>
          <input
            type="checkbox"
            checked={settings.value.keepTexts}
            onChange={({ currentTarget: { checked } }) => change({ keepTexts: checked })}
          />
          <span>{words.keep}</span>
        </label>
        {texts.length > 0 && (
          <Button
            kind="quiet"
            label={words.removeEverything}
            disabled={isWriting.value}
            onClick={() => confirm(words.sure) && void removeEverything()}
          />
        )}
      </div>
    </section>
  );
}

interface ItemProps {
  readonly kind: Kind;
  readonly summary: TextSummary;
  readonly shown: boolean;
}

function Item({ kind, summary: { textId, beginning, newest }, shown }: ItemProps) {
  const busy = isWriting.value;
  return (
    <li>
      <button
        type="button"
        class="button quiet"
        aria-current={shown}
        disabled={busy}
        onClick={() => show(kind, newest.id)}
      >
        <span>{beginning || words.empty}</span>
      </button>
      <Button
        icon="remove"
        iconOnly
        kind="quiet"
        label={words.remove(beginning)}
        disabled={busy}
        onClick={() => removeText(kind, textId)}
      />
    </li>
  );
}
