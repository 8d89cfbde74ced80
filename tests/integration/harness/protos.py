"""Message classes of our own proto/ files, in a descriptor pool of their own.

The OpenTelemetry SDK brings classes of the same names into Python's default pool, so ours live
apart: what the SDK wrote is then read with our definitions and the other way round, which is what
"wire-compatible" means.
"""

import functools
import pathlib
import tempfile

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_tools import protoc

PROTO_DIR = pathlib.Path(__file__).resolve().parents[3] / "proto"


@functools.cache
def _pool():
    names = sorted(str(path.relative_to(PROTO_DIR)) for path in PROTO_DIR.rglob("*.proto"))
    with tempfile.NamedTemporaryFile(suffix=".desc") as out:
        arguments = [
            "protoc",
            f"--proto_path={PROTO_DIR}",
            "--include_imports",
            f"--descriptor_set_out={out.name}",
            *names,
        ]
        if protoc.main(arguments) != 0:
            raise RuntimeError("protoc can't read proto/")
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:  # protoc writes imports before those who import them
        pool.Add(file)
    return pool


@functools.cache
def message(full_name):
    """The class of a message of proto/, by its full protobuf name."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(full_name))


@functools.cache
def service(full_name):
    """{method name: (path, request class, response class)} of a service of proto/."""
    methods = {}
    for method in _pool().FindServiceByName(full_name).methods:
        methods[method.name] = (
            f"/{full_name}/{method.name}",
            message_factory.GetMessageClass(method.input_type),
            message_factory.GetMessageClass(method.output_type),
        )
    return methods
