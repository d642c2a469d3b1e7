"""What gRPC's interoperability client does, on grpcio: a line a case."""

import queue
import sys

import grpc

from contract import messages, services

COMPRESSION = {"": grpc.Compression.NoCompression, ", gzip": grpc.Compression.Gzip}


def body(size):
    return messages.Payload(body=bytes(size))


def fails(call, code, message=None):
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, error.code()
        assert message is None or error.details() == message, error.details()
        return
    raise AssertionError("the call should have failed")


def empty_unary(stub):
    stub.EmptyCall(messages.Empty())


def large_unary(stub):
    response = stub.UnaryCall(messages.SimpleRequest(response_size=314159, payload=body(271828)))
    assert len(response.payload.body) == 314159


def unary_of_almost_4_mib(stub):
    size = 4 * 1024 * 1024 - 100
    response = stub.UnaryCall(messages.SimpleRequest(response_size=size, payload=body(size)))
    assert len(response.payload.body) == size


def client_streaming(stub):
    requests = (messages.StreamingInputCallRequest(payload=body(size)) for size in (27182, 8, 1828, 45904))
    assert stub.StreamingInputCall(requests).aggregated_payload_size == 74922


def server_streaming(stub):
    sizes = [31415, 9, 2653, 58979]
    parameters = [messages.ResponseParameters(size=size) for size in sizes]
    responses = stub.StreamingOutputCall(messages.StreamingOutputCallRequest(response_parameters=parameters))
    assert [len(each.payload.body) for each in responses] == sizes


def ping_pong(stub):
    waiting = queue.Queue()
    responses = stub.FullDuplexCall(iter(waiting.get, None))
    for size in (31415, 9, 2653, 58979):
        waiting.put(messages.StreamingOutputCallRequest(response_parameters=[messages.ResponseParameters(size=size)]))
        assert len(next(responses).payload.body) == size
    waiting.put(None)
    assert list(responses) == []


def empty_stream(stub):
    assert list(stub.FullDuplexCall(iter([]))) == []


def custom_metadata(stub):
    metadata = [("x-grpc-test-echo-initial", "value"), ("x-grpc-test-echo-trailing-bin", b"\xab\xab\xab")]
    _, call = stub.UnaryCall.with_call(messages.SimpleRequest(response_size=10), metadata=metadata)
    assert dict(call.initial_metadata())["x-grpc-test-echo-initial"] == "value"
    assert dict(call.trailing_metadata())["x-grpc-test-echo-trailing-bin"] == b"\xab\xab\xab"


def status_code_and_message(stub):
    for message in ("test status message", "\t\nwith whitespace\r\nand ☺ and 😈\t\n"):
        status = messages.EchoStatus(code=2, message=message)
        fails(lambda: stub.UnaryCall(messages.SimpleRequest(response_status=status)), grpc.StatusCode.UNKNOWN, message)


def unimplemented_method(stub):
    fails(lambda: stub.UnimplementedCall(messages.Empty()), grpc.StatusCode.UNIMPLEMENTED)


def cancel_after_first_response(stub):
    waiting = queue.Queue()
    responses = stub.FullDuplexCall(iter(waiting.get, None))
    waiting.put(messages.StreamingOutputCallRequest(response_parameters=[messages.ResponseParameters(size=31415)]))
    next(responses)
    responses.cancel()
    waiting.put(None)
    fails(lambda: next(responses), grpc.StatusCode.CANCELLED)


def timeout_on_sleeping_server(stub):
    waiting = queue.Queue()
    responses = stub.FullDuplexCall(iter(waiting.get, None), timeout=0.05)
    fails(lambda: next(responses), grpc.StatusCode.DEADLINE_EXCEEDED)
    waiting.put(None)


def message_above_the_limit(stub):
    request = messages.SimpleRequest(payload=body(5 * 1024 * 1024))
    fails(lambda: stub.UnaryCall(request), grpc.StatusCode.RESOURCE_EXHAUSTED)


CASES = [
    empty_unary,
    large_unary,
    unary_of_almost_4_mib,
    client_streaming,
    server_streaming,
    ping_pong,
    empty_stream,
    custom_metadata,
    status_code_and_message,
    unimplemented_method,
    cancel_after_first_response,
    timeout_on_sleeping_server,
    message_above_the_limit,
]

for name, compression in COMPRESSION.items():
    options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(f"127.0.0.1:{sys.argv[1]}", options=options, compression=compression) as channel:
        for case in CASES:
            try:
                # Zeros that are compressed are never above the limit as they come.
                case(services.TestServiceStub(channel))
                print(f"{case.__name__}{name}: ok")
            except Exception as error:  # Whatever it is, it is told.
                print(f"{case.__name__}{name}: {error!r}".replace("\n", " "))
