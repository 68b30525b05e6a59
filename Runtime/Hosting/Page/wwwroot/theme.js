// Runs before the page is drawn, so that a choice of colours does not flash. The choice itself is in app.js.
(() => {
  let theme = null;
  try {
    theme = localStorage.getItem('quilt.theme');
  } catch {
    // Storage is forbidden here: the system's colours it is.
  }
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
})();
