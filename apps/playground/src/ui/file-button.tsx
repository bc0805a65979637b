import { useRef } from 'preact/hooks';
import { Button } from './button.tsx';
import type { IconName } from './icon.tsx';

interface FileButtonProps {
  readonly label: string;
  readonly icon?: IconName;
  readonly accept: string;
  readonly multiple?: boolean;
  readonly disabled?: boolean;
  readonly kind?: 'main' | 'plain' | 'quiet';
  readonly onFiles: (files: readonly File[]) => void;
}

/** A button that lets a person choose files. */
export function FileButton({
  label,
  icon,
  accept,
  multiple = false,
  disabled = false,
  kind,
  onFiles,
}: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button
        label={label}
        {...(icon && { icon })}
        {...(kind && { kind })}
        disabled={disabled}
        onClick={() => input.current?.click()}
      />
      <input
        ref={input}
        type="file"
        hidden
        aria-label={label}
        accept={accept}
        multiple={multiple}
        onChange={({ currentTarget }) => {
          const files = [...(currentTarget.files ?? [])];
          currentTarget.value = '';
          onFiles(files);
        }}
      />
    </>
  );
}
