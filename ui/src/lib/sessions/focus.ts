/** The keyboard goes where the next thing is typed or pressed. */
import type { Attachment } from 'svelte/attachments';

/** For what appears because of a press: the first control in it takes the focus. */
export const focusFirst: Attachment<HTMLElement> = (element) => {
  const control = element.matches('input, button, textarea')
    ? element
    : element.querySelector<HTMLElement>(
        'input:not(:disabled), textarea:not(:disabled), button:not(:disabled)',
      );
  control?.focus({ preventScroll: true });
};

/** After a refusal: the field that is wrong. */
export function focusWrong(form: HTMLElement | undefined): void {
  const field = form?.querySelector<HTMLElement>('[aria-invalid="true"]:not(:disabled)');
  field?.focus();
  if (field instanceof HTMLInputElement) field.select();
}

/** The part of a form that an input belongs to. */
export function placeOf({ target }: Event): string | undefined {
  return target instanceof Element ? target.closest<HTMLElement>('[data-place]')?.dataset.place : undefined;
}
