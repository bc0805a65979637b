import { useEffect, useRef, useState } from 'preact/hooks';
import { openFile, takeFiles } from '../store/files.ts';
import { model, opening, openRef, useWeights, wanted } from '../store/model.ts';
import { WEIGHT_TYPES } from '../store/settings.ts';
import {
  download,
  keepFile,
  openStored,
  refresh,
  removeStored,
  storage,
  transfer,
  verifyStored,
} from '../store/storage.ts';
import { recall } from '../store/texts.ts';
import type { Kind } from '../store/tree.ts';
import { text } from '../text.ts';
import type { StoredModel } from '../worker/protocol.ts';
import { Backends } from './backends.tsx';
import { Button } from './button.tsx';
import { FileButton } from './file-button.tsx';
import { bytes } from './format.ts';
import { NoticeBar } from './notice.tsx';
import { Progress } from './progress.tsx';

/** Which model runs, and on what. */
export function ModelsDialog({ kind, onClose }: { readonly kind: Kind; readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    void refresh();
  }, []);
  return (
    <dialog ref={dialog} class="models" aria-labelledby="models-title" onClose={onClose}>
      <header>
        <h2 id="models-title">{text.models.title}</h2>
        <Button icon="close" iconOnly kind="quiet" label={text.close} onClick={() => dialog.current?.close()} />
      </header>
      <NoticeBar />
      <div class="columns">
        <div>
          <OpenNow />
          <Stored />
          <FromFile kind={kind} />
          <FromAddress />
        </div>
        <div>
          <Backends />
          <Weights />
        </div>
      </div>
    </dialog>
  );
}

function OpenNow() {
  if (opening.value !== undefined)
    return <Progress label={text.models.opening(opening.value.name)} {...opening.value} />;
  if (model.value === undefined) return <p class="hint">{text.thread.noModel}</p>;
  const { name, architecture, layers, width, vocabularySize, fileBytes, stateBytes, hasTokenizer } = model.value;
  return (
    <section>
      <h3>{name}</h3>
      <dl class="facts">
        <div>
          <dt>{text.models.architecture}</dt>
          <dd>{text.models.shape(architecture, layers, width)}</dd>
        </div>
        <div>
          <dt>{text.models.vocabulary}</dt>
          <dd>{text.models.tokens(vocabularySize, hasTokenizer)}</dd>
        </div>
        <div>
          <dt>{text.models.file}</dt>
          <dd>{bytes(fileBytes)}</dd>
        </div>
        <div>
          <dt>{text.models.state}</dt>
          <dd>{text.models.stateBytes(bytes(stateBytes))}</dd>
        </div>
      </dl>
      {wanted.value.model.kind === 'file' && openFile.value !== undefined && (
        <Button
          icon="save"
          label={text.models.keep}
          disabled={transfer.value !== undefined}
          onClick={() => openFile.value && void keepFile(openFile.value.file, openFile.value.vocabulary)}
        />
      )}
    </section>
  );
}

function Stored() {
  const { models, usage, quota } = storage.value;
  const isBundled = wanted.value.model.kind === 'bundled';
  return (
    <section>
      <h3>{text.models.here}</h3>
      <ul class="stored">
        <li>
          <span class="name">{text.models.bundled}</span>
          <Button
            label={text.models.use}
            disabled={isBundled}
            onClick={() =>
              void openRef({ kind: 'bundled' }, text.models.bundled).then((opened) => (opened ? recall() : undefined))
            }
          />
        </li>
        {models.map((stored) => (
          <StoredItem key={stored.id} stored={stored} />
        ))}
      </ul>
      <p class="hint">{text.models.room(bytes(usage), bytes(quota))}</p>
    </section>
  );
}

function StoredItem({ stored }: { readonly stored: StoredModel }) {
  const { id, name, size, received, complete, url, vouched, vocabulary } = stored;
  const open = wanted.value.model;
  const busy = transfer.value !== undefined;
  const facts = complete
    ? [bytes(size), vouched && text.models.vouched, vocabulary]
    : [text.models.partly(bytes(received), bytes(size))];
  return (
    <li>
      <span class="name">{name}</span>
      <span class="hint">{facts.filter(Boolean).join(' · ')}</span>
      {complete && (
        <Button
          label={text.models.use}
          disabled={open.kind === 'stored' && open.id === id}
          onClick={() => void openStored(stored)}
        />
      )}
      {complete && (
        <Button
          icon="check"
          iconOnly
          kind="quiet"
          label={text.models.verify(name)}
          onClick={() => void verifyStored(stored)}
        />
      )}
      {!complete && url !== undefined && (
        <Button icon="play" label={text.models.resume} disabled={busy} onClick={() => void download(url)} />
      )}
      <Button
        icon="remove"
        iconOnly
        kind="quiet"
        label={text.models.remove(name)}
        disabled={busy}
        onClick={() => void removeStored(id)}
      />
    </li>
  );
}

function FromFile({ kind }: { readonly kind: Kind }) {
  return (
    <section>
      <h3>{text.models.fromFile}</h3>
      <p class="hint">{text.models.dropHint}</p>
      <FileButton
        icon="open"
        label={text.models.choose}
        accept=".pth,.pt,.safetensors,.gguf,.txt,.json"
        multiple
        onFiles={(files) => void takeFiles(files, kind)}
      />
    </section>
  );
}

function FromAddress() {
  const [url, setUrl] = useState('');
  const [sha256, setSha256] = useState('');
  const running = transfer.value;
  return (
    <section>
      <h3>{text.models.fromUrl}</h3>
      <form
        class="address"
        onSubmit={(event) => {
          event.preventDefault();
          void download(url, sha256 === '' ? undefined : sha256);
        }}
      >
        <label class="field">
          <span>{text.models.url}</span>
          <input
            type="url"
            required
            value={url}
            placeholder="https://…/model.safetensors"
            onInput={({ currentTarget }) => setUrl(currentTarget.value)}
          />
        </label>
        <label class="field">
          <span>{text.models.sha256}</span>
          <input
            type="text"
            pattern="[0-9a-fA-F]{64}"
            value={sha256}
            placeholder={text.models.optional}
            onInput={({ currentTarget }) => setSha256(currentTarget.value)}
          />
        </label>
        <Button type="submit" icon="save" label={text.models.download} disabled={running !== undefined} />
      </form>
      {running && (
        <div class="transfer">
          <Progress label={text.models.transfer(running.what, running.name)} {...running} />
          <Button icon="pause" label={text.models.pause} onClick={running.pause} />
        </div>
      )}
    </section>
  );
}

function Weights() {
  return (
    <section>
      <label class="field">
        <span>{text.models.weights}</span>
        <select
          value={wanted.value.weights ?? ''}
          disabled={opening.value !== undefined}
          onChange={({ currentTarget: { value } }) => void useWeights(WEIGHT_TYPES.find((type) => type === value))}
        >
          <option value="">{text.models.asStored}</option>
          {WEIGHT_TYPES.map((type) => (
            <option key={type}>{type}</option>
          ))}
        </select>
      </label>
      <p class="hint">{text.models.weightsHint}</p>
    </section>
  );
}
