"""The page itself, of Gradio's parts. Whatever they are given to do, the desk does."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from emotion.demo.boxes import camera_box, drop_box
from emotion.demo.desk import Desk, slider_value
from emotion.demo.handlers import Handlers
from emotion.demo.samples import samples
from emotion.demo.uploads import Uploads
from emotion.demo.views import (
    MOST_UPSAMPLING,
    show_begin,
    show_heading,
    show_limits,
    show_no_face,
    show_samples,
    show_status,
)

UPSAMPLING = (
    ("of 80 pixels and more", 0),
    ("40 and more, 4 × the time", 1),
    ("20 and more, 16 × the time", MOST_UPSAMPLING),
)
AT_ONCE = 4  # visitors that are answered at once
WAITING = 64  # questions that wait for their turn
# Scripts of single parts; each says when it is ready, for whoever drives a browser.
CLICK_ON_FACE = """
element.addEventListener("click", (event) => {
  const face = event.target.closest("[data-face]");
  if (face) trigger("select", {file: Number(face.dataset.file), face: Number(face.dataset.face)});
});
watch("value", () => {
  const narrow = window.matchMedia("(max-width: 48rem)").matches;
  if (narrow && element.querySelector(".em-fresh")) element.scrollIntoView({block: "start"});
});
element.dataset.emReady = "";
"""
CLICK_ON_DRAWING = """
element.addEventListener("click", (event) => {
  const sample = event.target.closest("[data-sample]");
  if (sample) trigger("select", {sample: Number(sample.dataset.sample)});
});
element.dataset.emReady = "";
"""
CLOSER_LOOK = """
let last = null;
document.addEventListener("click", (event) => {
  last = event.target.closest("[data-face]") ?? last;
});
const close = () => {
  element.querySelector(".em-detail")?.classList.remove("em-open");
  last?.isConnected && last.focus();
};
element.addEventListener("click", (event) => {
  if (event.target.closest(".em-close")) close();
});
element.addEventListener("keydown", (event) => {
  if (event.key === "Escape") close();
});
watch("value", () => element.querySelector(".em-open")?.focus());
element.dataset.emReady = "";
"""


def build_theme() -> gr.themes.Base:
    """Gives the looks: quiet colours, and fonts that every system has."""
    return gr.themes.Base(
        primary_hue="sky",
        neutral_hue="slate",
        font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"],
        font_mono=["ui-monospace", "Consolas", "monospace"],
        radius_size="lg",
    ).set(
        body_background_fill="*neutral_50",
        # Gradio's own are too pale to be read.
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
    )


@dataclass(frozen=True)
class _Parts:
    """What the visitor sees and uses."""

    drop: gr.File
    drawings: gr.HTML
    camera: gr.Image
    model: gr.Dropdown
    upsample: gr.Radio
    threshold: gr.Slider
    status: gr.HTML
    answer: gr.HTML
    face: gr.HTML


def build_page(desk: Desk, uploads: Uploads) -> gr.Blocks:
    """Puts the page together.

    Args:
        desk: does the work.
        uploads: where Gradio leaves what was dropped.
    """
    answerer = desk.answerer
    page = gr.Blocks(title="emotion", analytics_enabled=False)
    with page:
        gr.HTML(show_heading(answerer.models[0].classifier.input.labels), apply_default_css=False)
        with gr.Row(elem_id="em-main"):
            with gr.Column(scale=2, min_width=300, elem_id="em-left"):
                drop = drop_box(
                    label="Photos, or a short video",
                    height=170,
                    elem_id="em-drop",
                )
                gr.HTML(show_limits(answerer.limits), apply_default_css=False)
                drawings = gr.HTML(
                    show_samples(samples()), apply_default_css=False, js_on_load=CLICK_ON_DRAWING
                )
                camera = _camera()
                settings = _settings(desk)
            with gr.Column(scale=6, min_width=300, elem_id="em-right"):
                status = gr.HTML(show_status(""), apply_default_css=False, elem_id="em-status")
                with gr.Row(elem_id="em-results"):
                    answer = gr.HTML(
                        show_begin(),
                        apply_default_css=False,
                        js_on_load=CLICK_ON_FACE,
                        elem_id="em-answers",
                    )
                    face = gr.HTML(
                        show_no_face(),
                        apply_default_css=False,
                        js_on_load=CLOSER_LOOK,
                        elem_id="em-face",
                    )
        parts = _Parts(drop, drawings, camera, *settings, status, answer, face)
        _connect(page, parts, desk, uploads)
    page.queue(max_size=WAITING, default_concurrency_limit=AT_ONCE)
    return page


def _camera() -> gr.Image:
    with gr.Accordion("Take a photo", open=False):
        return camera_box(
            label="Camera",
            webcam_options=gr.WebcamOptions(mirror=False),
            height=260,
            elem_id="em-camera",
        )


def _settings(desk: Desk) -> tuple[gr.Dropdown, gr.Radio, gr.Slider]:
    models = desk.answerer.models
    with gr.Accordion("Settings", open=True, elem_id="em-settings"):
        model = gr.Dropdown(
            [(name, number) for number, name in enumerate(desk.names)],
            value=0,
            label="Model",
            interactive=len(models) > 1,
            elem_id="em-model",
        )
        upsample = gr.Radio(UPSAMPLING, value=0, label="Find faces", elem_id="em-upsample")
        threshold = gr.Slider(
            0,
            1,
            value=slider_value(models[0]),
            step=0.01,
            label='Say "unsure" below',
            elem_id="em-threshold",
        )
    return model, upsample, threshold


def _connect(page: gr.Blocks, parts: _Parts, desk: Desk, uploads: Uploads) -> None:
    """Says what is done when the visitor does something."""
    does = Handlers(desk, uploads)
    settings: list[Any] = [parts.model, parts.upsample, parts.threshold]
    shown = [parts.status, parts.answer, parts.face]
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    each = quiet | {"trigger_mode": "multiple"}  # also while another is being answered
    parts.drop.upload(does.answer, [parts.drop, *settings], [parts.drop, *shown], **each)
    parts.camera.input(does.answer, [parts.camera, *settings], [parts.camera, *shown], **each)
    parts.drawings.select(does.answer_sample, settings, shown, **each)
    last = quiet | {"trigger_mode": "always_last"}
    parts.model.input(does.change_model, settings[:2], [parts.threshold, *shown], **last)
    parts.upsample.input(does.change, settings, shown, **last)
    parts.threshold.change(does.change, settings, shown, **last)
    parts.answer.select(does.look, None, shown, **last)
    page.unload(does.close)
