/** One text of the bytes of many tokens. */
export function decodeBytes(parts: readonly Uint8Array[]): string {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(whole);
}
