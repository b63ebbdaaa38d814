// Before the first paint, so that a chosen theme never flashes. A file of its own because of the CSP.
try {
  const theme = localStorage.getItem('gleaner.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be off; the system's theme holds then.
}
