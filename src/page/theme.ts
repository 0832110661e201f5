const key = 'cryptopipe-theme';
const prefersLight = matchMedia('(prefers-color-scheme: light)');

type Theme = 'dark' | 'light';

/** Private windows may refuse to remember anything; the page works all the same. */
function remembered(): Theme | undefined {
  try {
    const text = localStorage.getItem(key);
    return text === 'dark' || text === 'light' ? text : undefined;
  } catch {
    return undefined;
  }
}

function remember(theme: Theme): void {
  try {
    localStorage.setItem(key, theme);
  } catch {
    // As above.
  }
}

/** The theme that the system wants until a person has chosen one; `onChange` runs after each change. */
export function followTheme(button: HTMLButtonElement, onChange: () => void): void {
  const apply = (): void => {
    const theme = remembered() ?? (prefersLight.matches ? 'light' : 'dark');
    const other = theme === 'dark' ? 'light' : 'dark';
    document.documentElement.dataset['theme'] = theme;
    button.textContent = other === 'light' ? '☀ light' : '☾ dark';
    button.setAttribute('aria-label', `Change to the ${other} theme`);
    onChange();
  };
  button.addEventListener('click', () => {
    remember(document.documentElement.dataset['theme'] === 'dark' ? 'light' : 'dark');
    apply();
  });
  prefersLight.addEventListener('change', apply);
  apply();
}

/** A colour of the style sheet, as it is in this theme. */
export const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
