/** A clock for countdowns: it ticks only while somebody shows it. */
import { createSubscriber } from 'svelte/reactivity';

const TICK_MS = 250;

class Seconds {
  #subscribe = createSubscriber((update) => {
    const timer = setInterval(update, TICK_MS);
    return () => clearInterval(timer);
  });

  /** Milliseconds since 1970, read anew with every tick. */
  get now(): number {
    this.#subscribe();
    return Date.now();
  }
}

export const seconds = new Seconds();
