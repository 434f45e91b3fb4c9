"""The metadata at the head of a model card, as the Hugging Face hub reads it.

The fields are those of the hub's specification (`modelcard.md` in huggingface/hub-docs): of
`model-index` a task and a data set need a `type`, the latter a `name`, and a metric a `type` and a
`value`. The hub checks `license` and `model-index`. What is not known is left out, not guessed.
"""

import re
from collections.abc import Sequence
from typing import Any

import yaml

from emotion.evaluation.card.scores import CardEvaluation, Score
from emotion.pages.texts import readable

TASK = "image-classification"
LIBRARY = "emotion"
TAGS = ("emotion-recognition", "facial-expression-recognition", "mobilenet_v2", "pytorch")
# The hub's own names of licences (docs/hub/repositories-licenses.md in huggingface/hub-docs).
LICENCES = set(
    re.findall(
        r"\S+",
        """
    apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m afl-3.0 artistic-2.0 bsl-1.0
    bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda cc cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0
    cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0
    cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0
    cdla-sharing-1.0 cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0
    etalab-2.0 eupl-1.1 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 isc lppl-1.3c ms-pl
    mpl-2.0 odc-by odbl osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib pddl unknown other
        """,
    )
)
# Score -> the hub's metric, its settings, and what it is called here. The recall averaged over the
# classes that occur is the balanced accuracy.
METRICS: dict[str, tuple[str, dict[str, str], str]] = {
    "accuracy": ("accuracy", {}, "Accuracy"),
    "balanced_accuracy": ("recall", {"average": "macro"}, "Balanced accuracy (macro recall)"),
    "macro_f1": ("f1", {"average": "macro"}, "Macro-F1"),
}


def header(name: str, licence: str | None, evaluations: Sequence[CardEvaluation]) -> str:
    """Gives the YAML between two lines of `---`, those included.

    Args:
        name: of the model.
        licence: of the weights, as stated; None where nobody did.
        evaluations: may be none; there is no `model-index` then.
    """
    content: dict[str, Any] = {
        **_licence(licence),
        "library_name": LIBRARY,
        "pipeline_tag": TASK,
        "tags": list(TAGS),
    }
    results = [_result(evaluation) for evaluation in evaluations if evaluation.scores]
    if results:
        content["metrics"] = sorted({metric["type"] for r in results for metric in r["metrics"]})
        content["model-index"] = [{"name": readable(name, 96), "results": results}]
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n{text}---\n"


def _licence(licence: str | None) -> dict[str, str]:
    if licence is None:
        return {}
    identifier = licence.strip().lower()
    if identifier in LICENCES:
        return {"license": identifier}
    short = re.sub(r"[^a-z0-9.]+", "-", identifier).strip("-.")[:64]
    return {"license": "other", "license_name": short or "other"}


def _result(evaluation: CardEvaluation) -> dict[str, Any]:
    dataset = {"name": readable(evaluation.data, 96), "type": "custom"}
    if evaluation.part is not None:
        dataset["split"] = "validation" if evaluation.part == "val" else "test"
    metrics = [_metric(score) for score in evaluation.scores if score.name in METRICS]
    return {
        "task": {"type": TASK, "name": "Image Classification"},
        "dataset": dataset,
        "metrics": metrics,
    }


def _metric(score: Score) -> dict[str, Any]:
    kind, settings, name = METRICS[score.name]
    content: dict[str, Any] = {
        "type": kind,
        "value": round(score.value, 4),
        "name": f"{name}, 95 % interval {score.low:.3f} to {score.high:.3f}",
    }
    return content | ({"args": settings} if settings else {})
