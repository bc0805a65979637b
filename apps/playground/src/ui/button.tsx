import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icon.tsx';

interface ButtonProps {
  readonly label: string;
  readonly icon?: IconName;
  readonly onClick?: () => void;
  readonly disabled?: boolean;
  readonly kind?: 'main' | 'plain' | 'quiet';
  /** Shows the icon alone; the label is for who does not see it, and in the tooltip. */
  readonly iconOnly?: boolean;
  readonly type?: 'button' | 'submit';
  readonly pressed?: boolean;
  readonly children?: ComponentChildren;
}

export function Button({
  label,
  icon,
  onClick,
  disabled = false,
  kind = 'plain',
  iconOnly = false,
  ...rest
}: ButtonProps) {
  const { type = 'button', pressed } = rest;
  return (
    <button
      type={type}
      class={`button ${kind}${iconOnly ? ' icon-only' : ''}`}
      onClick={onClick}
      disabled={disabled}
      {...(pressed === undefined ? {} : { 'aria-pressed': pressed })}
      {...(iconOnly ? { 'aria-label': label, title: label } : {})}
    >
      {icon && <Icon name={icon} />}
      {!iconOnly && <span>{label}</span>}
    </button>
  );
}
