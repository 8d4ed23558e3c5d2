"""A run in a notebook: its overview figure with the sentence below it."""

from __future__ import annotations

import base64
import html
import io

from gihflow.run_file import Run


def overview(run: Run) -> str:
    if not any(len(stage.t) > 1 for stage in run.stages):
        return f"<pre>{html.escape(repr(run))}</pre>"
    import matplotlib

    from gihflow import figures, findings, panels

    picture = io.BytesIO()
    with matplotlib.rc_context(panels.STYLE):
        figures.overview(run).savefig(picture, format="png", dpi=110)
    data = base64.b64encode(picture.getvalue()).decode()
    return (f'<figure><img alt="overview of the run" src="data:image/png;base64,{data}">'
            f"<figcaption>{html.escape(findings.overview(run))}</figcaption></figure>"
            f"<pre>{html.escape(repr(run))}</pre>")
