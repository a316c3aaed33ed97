"""Report: needs the summary of a run; makes figures and the page that shows them."""
