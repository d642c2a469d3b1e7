import type { FastifyReply } from "fastify";
import type { ErrorAnswer } from "../transcoding/index.ts";

/** Tells an error as google.rpc-style JSON. */
export function sendAnswer(reply: FastifyReply, { httpStatus, body }: ErrorAnswer): void {
  reply.code(httpStatus).header("content-type", "application/json; charset=utf-8").send(JSON.stringify(body));
}
