"""The Keras network: build, freeze, fit, store. The only importer of keras and tensorflow."""

from faultxfer.environment import prepare_tensorflow

prepare_tensorflow()
