import { useEffect, useRef, useState } from 'preact/hooks';
import { model, opening } from '../store/model.ts';
import { again, begin, exportState, goOn, importState, isWriting, remove, show, stop, trees } from '../store/texts.ts';
import { type Kind, pathTo, siblingsOf, type TextNode } from '../store/tree.ts';
import { text } from '../text.ts';
import { Button } from './button.tsx';
import { FileButton } from './file-button.tsx';
import { bytes, count, milliseconds, short } from './format.ts';
import { Tokens } from './tokens.tsx';

/** A text or a conversation: what is there, and where one goes on. */
export function Thread({ kind }: { readonly kind: Kind }) {
  const path = pathTo(trees[kind].value);
  const leaf = path.at(-1);
  return (
    <section class={`thread ${kind}`} aria-label={text.views[kind]}>
      <div class="sheet">
        {path.length === 0 ? <Empty kind={kind} /> : <h1 class="unseen">{text.thread.title[kind]}</h1>}
        {path.map((node) => (
          <Turn key={node.id} kind={kind} node={node} />
        ))}
      </div>
      <Composer kind={kind} leaf={leaf} />
    </section>
  );
}

function Empty({ kind }: { readonly kind: Kind }) {
  const { hasTokenizer } = model.value ?? {};
  const none = opening.value ? text.thread.opening : text.thread.noModel;
  return (
    <div class="empty">
      <h1>{text.thread.title[kind]}</h1>
      <p class="hint">
        {hasTokenizer === undefined ? none : hasTokenizer ? text.thread.empty[kind] : text.thread.emptyIds}
      </p>
    </div>
  );
}

function Turn({ kind, node }: { readonly kind: Kind; readonly node: TextNode }) {
  const [editing, setEditing] = useState(false);
  const isChat = kind === 'chat';
  return (
    <article class="turn" aria-busy={node.writing}>
      {node.imported && <p class="imported">{text.thread.imported(count(node.imported.length), node.imported.tail)}</p>}
      {editing ? (
        <Editor
          value={node.prompt}
          onDone={(prompt) => {
            setEditing(false);
            if (prompt !== undefined) void goOn(kind, node, prompt);
          }}
        />
      ) : (
        node.prompt !== '' && (
          <span class="prompt">
            {isChat && <span class="who">{text.thread.you}</span>}
            <span class="words">{node.prompt}</span>
          </span>
        )
      )}
      <span class="reply">
        {isChat && node.imported === undefined && <span class="who">{text.thread.model}</span>}
        <Tokens chunks={node.chunks} writing={node.writing} />
      </span>
      <TurnTools kind={kind} node={node} onEdit={() => setEditing(true)} />
    </article>
  );
}

function Editor({ value, onDone }: { readonly value: string; readonly onDone: (value: string | undefined) => void }) {
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => area.current?.focus(), []);
  return (
    <form
      class="editor"
      onSubmit={(event) => {
        event.preventDefault();
        onDone(area.current?.value);
      }}
    >
      <textarea ref={area} aria-label={text.thread.edit} defaultValue={value} rows={2} />
      <Button type="submit" kind="main" label={text.thread.branch} disabled={isWriting.value} />
      <Button label={text.cancel} onClick={() => onDone(undefined)} />
    </form>
  );
}

interface TurnToolsProps {
  readonly kind: Kind;
  readonly node: TextNode;
  readonly onEdit: () => void;
}

function TurnTools({ kind, node, onEdit }: TurnToolsProps) {
  if (node.writing) return null;
  const siblings = siblingsOf(trees[kind].value, node);
  const place = siblings.findIndex(({ id }) => id === node.id);
  const turnTo = (by: number): void => {
    const other = siblings[place + by];
    if (other !== undefined) show(kind, other.id);
  };
  const busy = isWriting.value;
  return (
    <div class="tools" role="toolbar" aria-label={text.thread.tools}>
      {siblings.length > 1 && (
        <span class="branches">
          <Button
            icon="back"
            iconOnly
            kind="quiet"
            label={text.thread.previous}
            disabled={busy || place === 0}
            onClick={() => turnTo(-1)}
          />
          <span>{text.thread.branchOf(place + 1, siblings.length)}</span>
          <Button
            icon="next"
            iconOnly
            kind="quiet"
            label={text.thread.next}
            disabled={busy || place === siblings.length - 1}
            onClick={() => turnTo(1)}
          />
        </span>
      )}
      {node.imported === undefined && (
        <>
          <Button
            icon="again"
            iconOnly
            kind="quiet"
            label={text.thread.again}
            disabled={busy}
            onClick={() => void again(kind, node)}
          />
          <Button icon="edit" iconOnly kind="quiet" label={text.thread.edit} disabled={busy} onClick={onEdit} />
        </>
      )}
      <Button icon="save" iconOnly kind="quiet" label={text.thread.export} onClick={() => void exportState(node.id)} />
      <Button
        icon="remove"
        iconOnly
        kind="quiet"
        label={text.thread.remove}
        disabled={busy}
        onClick={() => remove(kind, node.id)}
      />
      <Figures node={node} />
    </div>
  );
}

function Figures({ node: { result } }: { readonly node: TextNode }) {
  if (result === undefined) return null;
  const { tokensPerSecond, firstTokenMs, length, finish } = result;
  return (
    <span class="figures">
      {Number.isFinite(tokensPerSecond) && <span>{text.thread.speed(short(tokensPerSecond))}</span>}
      <span>{text.thread.first(milliseconds(firstTokenMs))}</span>
      <span>{text.thread.length(count(length), bytes(model.value?.stateBytes ?? 0))}</span>
      {finish === 'stopped' && <span>{text.thread.stopped}</span>}
    </span>
  );
}

function Composer({ kind, leaf }: { readonly kind: Kind; readonly leaf: TextNode | undefined }) {
  const area = useRef<HTMLTextAreaElement>(null);
  const [words, setWords] = useState('');
  const ready = model.value !== undefined;
  const needsWords = kind === 'chat' || (leaf === undefined && !model.value?.hasTokenizer);
  const send = (): void => {
    if (!ready || isWriting.value || (needsWords && words.trim() === '')) return;
    void goOn(kind, leaf && { textId: leaf.textId, parent: leaf.id }, words);
    setWords('');
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        ref={area}
        rows={1}
        value={words}
        disabled={!ready}
        aria-label={text.composer.label[kind]}
        placeholder={placeholder(kind, leaf)}
        onInput={({ currentTarget }) => setWords(currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          send();
        }}
      />
      <div class="actions">
        {isWriting.value ? (
          <Button icon="stop" kind="main" label={text.composer.stop} onClick={stop} />
        ) : (
          <Button
            type="submit"
            icon="write"
            kind="main"
            label={
              words === '' && leaf !== undefined && kind === 'write' ? text.composer.continue : text.composer.send[kind]
            }
            disabled={!ready || (needsWords && words.trim() === '')}
          />
        )}
        <Button icon="more" label={text.composer.begin[kind]} disabled={isWriting.value} onClick={() => begin(kind)} />
        <FileButton
          icon="open"
          label={text.thread.import}
          accept=".safetensors"
          disabled={!ready || isWriting.value}
          onFiles={([file]) => file && void importState(kind, file)}
        />
      </div>
    </form>
  );
}

function placeholder(kind: Kind, leaf: TextNode | undefined): string {
  if (model.value?.hasTokenizer === false) return text.composer.ids;
  return leaf === undefined ? text.composer.first[kind] : text.composer.more[kind];
}
