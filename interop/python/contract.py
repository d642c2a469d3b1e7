"""gRPC's interoperability contract, compiled when it is asked for."""

import importlib
import os
import sys
import tempfile

from grpc_tools import protoc

here = os.path.dirname(os.path.abspath(__file__))
proto = os.path.join(here, "..", "proto")
out = tempfile.mkdtemp(prefix="weft-interop-")
arguments = ["protoc", f"-I{proto}", f"--python_out={out}", f"--grpc_python_out={out}", "grpc/testing/test.proto"]
if protoc.main(arguments) != 0:
    sys.exit("the contract can't be compiled")
# The package grpc is the library: the modules are loaded by their files.
for name in ("test_pb2", "test_pb2_grpc"):
    path = os.path.join(out, "grpc", "testing", name + ".py")
    with open(path, encoding="utf-8") as file:
        source = file.read().replace("from grpc.testing import test_pb2", "import test_pb2")
    with open(os.path.join(out, name + ".py"), "w", encoding="utf-8") as file:
        file.write(source)
sys.path.insert(0, out)
messages = importlib.import_module("test_pb2")
services = importlib.import_module("test_pb2_grpc")
