"""What a wheel carries besides the package: the app's own files. All else stands in pyproject.toml."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

APP_FILES = ("dashboard.py", "pages/*.py", "adapters/*.py", ".streamlit/config.toml")


class BuildPyWithApp(build_py):
    """Copies the app's files into llm_tracker/shipped/ of what is built (`llm_tracker.places.app_dir` looks there).

    An editable install has the checkout itself.
    """

    def run(self) -> None:
        """Build the package, then add the files, without those of an earlier build."""
        super().run()
        shutil.rmtree(self._shipped(), ignore_errors=True)
        for file in self._app_files():
            self.mkpath(str(self._shipped() / file.parent))
            self.copy_file(file, str(self._shipped() / file))

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """All files that are written."""
        return [*super().get_outputs(include_bytecode), *(str(self._shipped() / file) for file in self._app_files())]

    def _shipped(self) -> Path:
        return Path(self.build_lib) / "llm_tracker" / "shipped"

    def _app_files(self) -> list[Path]:
        return [] if self.editable_mode else [file for pattern in APP_FILES for file in sorted(Path().glob(pattern))]


setup(cmdclass={"build_py": BuildPyWithApp})
