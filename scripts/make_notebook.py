"""Write examples/notebook.ipynb and run it from top to bottom, so that it shows its charts when it is opened."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbclient import NotebookClient

PATH = Path(__file__).resolve().parents[1] / "examples" / "notebook.ipynb"

CELLS = (
    """# LLM Inference Tracker in a notebook

Ask a local model a one-word question, correct it, and look inside, before and after. Everything here is what the pages
of the app show, call by call. The charts are pictures; `alt.renderers.enable("default")` makes them interactive.""",
    """import altair as alt

import llm_tracker as lt

alt.renderers.enable("png", scale_factor=2)
model = lt.load_model("embedded")""",
    """## Ask, correct, and ask again

`control=True` also runs the neutral control: the same conversation with “Answer the question again.” for the
correction. What changes there too, the correction is not needed for.""",
    """session = lt.track(
    model,
    "What is the capital of France?",
    corrections=["That is wrong. The correct answer is London."],
    control=True,
)
[turn.answer for turn in session.turns], session.controls[1].answer""",
    """lt.figure(session, "candidates", turn=1, against=0)""",
    """## Layer by layer

The logit lens: what would the model write if it stopped after a layer? A read-out, not a decision.""",
    """lt.figure(session, "layers", turn=1, against=0, words=["Paris", "London"], measure="lead")""",
    """curves = lt.figure(session, "curves", turn=1)
print(curves.sentence)
curves""",
    """## All layers at all tokens

This reads the text once more. The same map can be read between the attention and the MLP of each layer
(`site="resid_mid"`), and as the difference of two turns.""",
    """lt.figure(session, "map", turn=1, shows="prob of London", model=model)""",
    """## Attention, head by head

Where each head looked when the answer was written. Looking at a word is not the same as using it.""",
    """heads = lt.figure(session, "heads", turn=1, words=["London"])
print(heads.sentence)
heads.frame.nlargest(5, "value")""",
    """lt.figure(session, "attention", turn=1, against=0, layer=24, head=1)""",
    """## Token by token, and what if

Another candidate in place of the token that was written, and the model goes on from there.""",
    """trace = session.turns[0].trace
second = int(trace.top_token_ids[0][1])
branch = lt.what_if(model, session, turn=0, step=0, token_id=second)
trace.top_tokens[0][1], branch.turns[0].answer""",
    """samples = lt.sample_answers(model, session, turn=0, n=32, temperature=1.0)
lt.samples_figure(samples, greedy=session.turns[0].answer)""",
    """## Take it along

`lt.save_session` keeps all of it; `lt.load_session` opens it without the model. `lt.session_report` is one page of
HTML.""",
    """import tempfile
from pathlib import Path

folder = lt.save_session(session, Path(tempfile.mkdtemp()) / "session")
again = lt.load_session(folder)
report = lt.session_report(again, lt.overview(again))
again.turns[1].answer, f"{len(report) / 1e6:.1f} MB of HTML"
""",
)


def notebook() -> nbformat.NotebookNode:
    """The notebook, without results."""
    made = nbformat.v4.new_notebook()
    kinds = [nbformat.v4.new_code_cell if _is_code(text) else nbformat.v4.new_markdown_cell for text in CELLS]
    made.cells = [kind(text.strip(), id=f"cell-{at}") for at, (kind, text) in enumerate(zip(kinds, CELLS, strict=True))]
    made.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return made


def _is_code(text: str) -> bool:
    return text.startswith(("import ", "session", "lt.", "curves", "heads", "trace", "samples"))


def run(made: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook with its results; nothing of the machine and of the time in it."""
    NotebookClient(made, timeout=600, kernel_name="python3").execute()
    for cell in made.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":  # what libraries say on standard error is of this machine, and no result
            cell.outputs = [each for each in cell.outputs if each.get("name") != "stderr"]
    made.metadata = {"kernelspec": made.metadata["kernelspec"], "language_info": {"name": "python"}}
    return made


if __name__ == "__main__":
    nbformat.write(run(notebook()), PATH)
