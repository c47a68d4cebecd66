"""Arrays and tables in, plotly figures out; no streamlit."""
