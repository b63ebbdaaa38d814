/** Light, dark, or as the system has it. */
export type Theme = 'system' | 'light' | 'dark';

const KEY = 'gleaner.theme';

class ThemeChoice {
  current = $state<Theme>(stored());

  set(theme: Theme): void {
    this.current = theme;
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    try {
      if (theme === 'system') localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, theme);
    } catch {
      // Without storage the choice holds until the window closes.
    }
  }

  /** The next of the three, for a switch with one button. */
  next(): void {
    this.set(this.current === 'system' ? 'light' : this.current === 'light' ? 'dark' : 'system');
  }
}

function stored(): Theme {
  try {
    const theme = localStorage.getItem(KEY);
    return theme === 'light' || theme === 'dark' ? theme : 'system';
  } catch {
    return 'system';
  }
}

export const theme = new ThemeChoice();
