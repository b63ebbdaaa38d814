/** The time, for texts such as "4m ago": one clock for the whole window. */
const TICK_MS = 5000;

class Now {
  current = $state(new Date());

  start(): () => void {
    const timer = setInterval(() => (this.current = new Date()), TICK_MS);
    return () => clearInterval(timer);
  }
}

export const now = new Now();
