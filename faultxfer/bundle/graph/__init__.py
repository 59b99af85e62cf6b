"""The whole detector as one ONNX graph, which runs with onnxruntime alone."""
