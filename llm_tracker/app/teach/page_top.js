// Streamlit keeps how far a page is scrolled, whatever comes to stand on it.
let last;

export default function ({ data }) {
  if (data === last) return;
  last = data;
  document.querySelector('[data-testid="stMain"]')?.scrollTo(0, 0);
}
