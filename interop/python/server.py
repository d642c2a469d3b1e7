"""gRPC's interoperability server, on grpcio."""

import time
from concurrent import futures

import grpc

from contract import messages, services

INITIAL, TRAILING = "x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"


def echo(context):
    given = dict(context.invocation_metadata())
    if INITIAL in given:
        context.send_initial_metadata([(INITIAL, given[INITIAL])])
    if TRAILING in given:
        context.set_trailing_metadata([(TRAILING, given[TRAILING])])


def answer(kind, size):
    return kind(payload=messages.Payload(body=bytes(size)))


class TestService(services.TestServiceServicer):
    def EmptyCall(self, request, context):
        return messages.Empty()

    def UnaryCall(self, request, context):
        echo(context)
        if request.response_status.code:
            code = next(each for each in grpc.StatusCode if each.value[0] == request.response_status.code)
            context.abort(code, request.response_status.message)
        return answer(messages.SimpleResponse, request.response_size)

    def StreamingOutputCall(self, request, context):
        for each in request.response_parameters:
            time.sleep(each.interval_us / 1e6)
            yield answer(messages.StreamingOutputCallResponse, each.size)

    def StreamingInputCall(self, requests, context):
        size = sum(len(request.payload.body) for request in requests)
        return messages.StreamingInputCallResponse(aggregated_payload_size=size)

    def FullDuplexCall(self, requests, context):
        echo(context)
        for request in requests:
            for each in request.response_parameters:
                yield answer(messages.StreamingOutputCallResponse, each.size)


server = grpc.server(futures.ThreadPoolExecutor(max_workers=20))
services.add_TestServiceServicer_to_server(TestService(), server)
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(f"port {port}", flush=True)
server.wait_for_termination()
