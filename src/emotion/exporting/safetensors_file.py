"""A checkpoint's weights as one safetensors file."""

from pathlib import Path

from emotion.inference.model_info import KEY, ModelInfo
from emotion.inference.sealing import PLACEHOLDER, SEAL, seal
from emotion.training.checkpoints import Checkpoint


def write_safetensors(path: Path, checkpoint: Checkpoint, info: ModelInfo) -> None:
    """Writes the network's tensors, named as in the network, with their metadata, sealed.

    Args:
        path: gets the file.
        checkpoint: gives the tensors; they stay as they are, batch norm included.
        info: what the file says of itself; normalisation, temperature and softmax are up to the
            reader.
    """
    from safetensors.torch import save_file

    tensors = {name: tensor.contiguous() for name, tensor in checkpoint.state.items()}
    texts = {
        KEY: info.to_json(),
        "format": "pt",  # as other tools expect it
        "labels": ",".join(info.input.labels),
        "licence": info.licence,
        SEAL: PLACEHOLDER.decode(),
    }
    save_file(tensors, path, metadata=texts)
    seal(path, "safetensors")
