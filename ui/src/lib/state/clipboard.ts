/** Copying that works wherever Gleaner is opened. */

/** Puts the text on the clipboard; false when the browser keeps it from us. `near` is where the focus may go. */
export async function copy(text: string, near: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Plain http beyond loopback has no clipboard, only the old way.
    return copyBySelection(text, near);
  }
}

function copyBySelection(text: string, near: HTMLElement): boolean {
  const before = document.activeElement;
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'sr';
  field.readOnly = true;
  // Inside the same dialog, or its focus trap would take the selection away.
  near.append(field);
  field.select();
  try {
    // Deprecated, and the only way there is without a secure context.
    return document.execCommand('copy');
  } catch {
    return false;
  } finally {
    field.remove();
    if (before instanceof HTMLElement) before.focus();
  }
}
