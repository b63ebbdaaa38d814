/** One question at a time before something that cannot be undone. */
export interface Question {
  title: string;
  body: string;
  /** What happens, on the button. */
  action: string;
  danger?: boolean;
  /** A choice beside the answer. */
  option?: string;
  /** What stands in the way, to go and look at. */
  links?: { label: string; href: string }[];
  /** It cannot be done: there is nothing to agree to. */
  refused?: boolean;
  /** A word that must be typed first. */
  typed?: string;
}

export interface AnswerGiven {
  option: boolean;
}

class Confirm {
  question = $state<Question | null>(null);
  #answer: (given: AnswerGiven | null) => void = () => undefined;

  /** `null` when the person thought better of it. */
  ask(question: Question): Promise<AnswerGiven | null> {
    this.#answer(null);
    this.question = question;
    return new Promise((resolve) => (this.#answer = resolve));
  }

  settle(given: AnswerGiven | null): void {
    this.question = null;
    this.#answer(given);
    this.#answer = () => undefined;
  }
}

export const confirm = new Confirm();
