import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { invalidField } from "./violations.ts";

test("a field that is refused by hand is told as a rule's violation is: in words, and by its path", () => {
  const error = invalidField("user.display_name", "value is required");
  expect(error).toMatchObject({ code: Code.InvalidArgument, rawMessage: "user.display_name: value is required" });
  expect(error.details).toMatchObject([
    {
      desc: { typeName: "buf.validate.Violations" },
      value: {
        violations: [
          {
            field: { elements: [{ fieldName: "user" }, { fieldName: "display_name" }] },
            message: "value is required",
          },
        ],
      },
    },
  ]);
});
