import { create, type DescMessage, type MessageInitShape, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { currentCall } from "@weft/context";

/**
 * Runs a keyed command whose one transaction returns what the response is made of. The response's bytes are written in
 * that same transaction, so that a repeat of the key gets them whatever happens after the commit.
 */
export async function storeResponse<R, D extends DescMessage>(
  schema: D,
  toResponse: (result: R) => MessageInitShape<D>,
  command: () => Promise<R>,
): Promise<MessageShape<D>> {
  const message = (result: R): MessageShape<D> => create(schema, toResponse(result));
  const keyed = currentCall()?.command;
  if (keyed) keyed.encode = (result) => toBinary(schema, message(result as R));
  return message(await command());
}
