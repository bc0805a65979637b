import { notice } from '../store/notices.ts';
import { text } from '../text.ts';
import { Button } from './button.tsx';

/** What a person should know, until they put it away. */
export function NoticeBar() {
  const shown = notice.value;
  return (
    <div class="notices" role={shown?.kind === 'error' ? 'alert' : 'status'}>
      {shown && (
        <div class={`notice ${shown.kind}`}>
          <p>
            <strong>{shown.message}</strong>
            {shown.hint && <span>{shown.hint}</span>}
          </p>
          <Button
            icon="close"
            iconOnly
            kind="quiet"
            label={text.dismiss}
            onClick={() => {
              notice.value = undefined;
            }}
          />
        </div>
      )}
    </div>
  );
}
