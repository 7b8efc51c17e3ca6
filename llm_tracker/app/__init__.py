"""The only room that imports streamlit: frame, jobs, panels."""
