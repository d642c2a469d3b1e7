import { generate } from "selfsigned";

/** A certificate for 127.0.0.1 that signs itself, and its key. */
export async function certificate(): Promise<{ readonly cert: string; readonly key: string }> {
  const names = [{ type: 7, ip: "127.0.0.1" } as const, { type: 2, value: "localhost" } as const];
  const { cert, private: key } = await generate([{ name: "commonName", value: "localhost" }], {
    extensions: [{ name: "subjectAltName", altNames: names }],
  });
  return { cert, key };
}
