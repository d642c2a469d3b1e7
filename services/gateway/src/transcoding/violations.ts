import type { DescField, DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { ViolationsSchema } from "@weft/contracts";
import type { FieldFault } from "./faults.ts";

type Violation = MessageShape<typeof ViolationsSchema>["violations"][number];
type PathElement = NonNullable<Violation["field"]>["elements"][number];

/** The fields that a server's `buf.validate.Violations` detail names, in JSON spelling. */
export function violationsOf(error: ConnectError, input: DescMessage): readonly FieldFault[] {
  return error
    .findDetails(ViolationsSchema)
    .flatMap(({ violations }) => violations.map((violation) => toFault(violation, input)));
}

function toFault({ field, message }: Violation, input: DescMessage): FieldFault {
  return { field: spell(field?.elements ?? [], input), description: message || "breaks a rule" };
}

function spell(elements: readonly PathElement[], input: DescMessage): string {
  let at: DescMessage | undefined = input;
  let spelled = "";
  for (const { fieldName, subscript } of elements) {
    const field: DescField | undefined = at?.fields.find(({ name }) => name === fieldName);
    spelled += `${spelled === "" ? "" : "."}${field?.jsonName ?? fieldName}${spellSubscript(subscript)}`;
    at = field?.message;
  }
  return spelled;
}

function spellSubscript(subscript: PathElement["subscript"]): string {
  switch (subscript.case) {
    case undefined:
      return "";
    case "stringKey":
      return `[${JSON.stringify(subscript.value)}]`;
    default:
      return `[${subscript.value}]`;
  }
}
