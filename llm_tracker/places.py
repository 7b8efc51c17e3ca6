"""Where the app's own files and the user's caches are: the one module that knows."""

from pathlib import Path

from platformdirs import user_cache_path, user_data_path


def app_dir() -> Path:
    """The folder that holds dashboard.py, pages/, adapters/ and .streamlit/.

    A wheel carries its own copy inside the package (setup.py); a checkout has them beside it.
    """
    package = Path(__file__).resolve().parent
    shipped = package / "shipped"
    return shipped if shipped.is_dir() else package.parent


def cache_dir() -> Path:
    """The user's cache folder of this app (converted weights, digests), created when asked for."""
    return user_cache_path("llm-tracker", ensure_exists=True)


def data_dir() -> Path:
    """The user's data folder of this app (the store of sessions), not created."""
    return user_data_path("llm-tracker")
