import type { DescMessage, DescMethod, DescService } from "@bufbuild/protobuf";
import { event, method as methodOption, service as serviceOption } from "@weft/contracts";
import type { Place } from "./refusal.ts";

// Field numbers of google.protobuf's own descriptor messages, from which paths of SourceCodeInfo are made.
const file = { messageType: 4, service: 6 };
const service = { method: 2, options: 3 };
const method = { options: 4 };
const message = { nestedType: 3, options: 7 };

export function placeOfService(desc: DescService): Place {
  const path = servicePath(desc);
  return { file: desc.file, subject: desc.typeName, paths: [[...path, service.options, serviceOption.number], path] };
}

export function placeOfMethod(desc: DescMethod): Place {
  const path = [...servicePath(desc.parent), service.method, desc.parent.methods.indexOf(desc)];
  return {
    file: desc.parent.file,
    subject: `${desc.parent.typeName}.${desc.name}`,
    paths: [[...path, method.options, methodOption.number], path],
  };
}

export function placeOfEvent(desc: DescMessage): Place {
  const path = messagePath(desc);
  return { file: desc.file, subject: desc.typeName, paths: [[...path, message.options, event.number], path] };
}

function servicePath(desc: DescService): number[] {
  return [file.service, desc.file.services.indexOf(desc)];
}

function messagePath(desc: DescMessage): number[] {
  const { parent } = desc;
  // By descriptor, not by position in `nestedMessages`: that list leaves out map entries, which have an index too.
  return parent === undefined
    ? [file.messageType, desc.file.proto.messageType.indexOf(desc.proto)]
    : [...messagePath(parent), message.nestedType, parent.proto.nestedType.indexOf(desc.proto)];
}
