import { createRegistry, type DescFile, type DescService, type Registry, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectRouter, type ServiceImpl } from "@connectrpc/connect";
import { Health, ServerReflection, ServerReflectionAlpha } from "@weft/contracts";
import { type Layer, layered } from "./layer.ts";
import { openMethod } from "./serve.ts";

/** The request's oneof; v1 and v1alpha have the same shape. */
type MessageRequest =
  | { case: "fileByFilename" | "fileContainingSymbol" | "allExtensionNumbersOfType" | "listServices"; value: string }
  | { case: "fileContainingExtension"; value: { containingType: string; extensionNumber: number } }
  | { case: undefined; value?: undefined };

/** gRPC server reflection, v1 and v1alpha, over the contracts of `services`. */
export function registerReflection(
  router: ConnectRouter,
  services: readonly DescService[],
  layers: readonly Layer[],
): void {
  const index = createIndex([...services, Health, ServerReflection]);
  const answer = (request: MessageRequest): ReturnType<typeof index.answer> => index.answer(request);
  const v1: ServiceImpl<typeof ServerReflection> = {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) {
        yield { validHost: request.host, originalRequest: request, messageResponse: answer(request.messageRequest) };
      }
    },
  };
  const v1alpha: ServiceImpl<typeof ServerReflectionAlpha> = {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) {
        yield { validHost: request.host, originalRequest: request, messageResponse: answer(request.messageRequest) };
      }
    },
  };
  router.service(ServerReflection, layered(ServerReflection, v1, layers, openMethod));
  router.service(ServerReflectionAlpha, layered(ServerReflectionAlpha, v1alpha, layers, openMethod));
}

function createIndex(services: readonly DescService[]) {
  const files = new Map<string, DescFile>();
  const add = (file: DescFile): void => {
    if (files.has(file.proto.name)) return;
    files.set(file.proto.name, file);
    for (const dependency of file.dependencies) add(dependency);
  };
  for (const service of services) add(service.file);
  const registry: Registry = createRegistry(...files.values());
  const names = services.map((service) => service.typeName).sort();

  const found = (file: DescFile | undefined, what: string) =>
    file
      ? ({ case: "fileDescriptorResponse", value: { fileDescriptorProto: withDependencies(file) } } as const)
      : ({ case: "errorResponse", value: { errorCode: Code.NotFound, errorMessage: `not found: ${what}` } } as const);

  return {
    answer(request: MessageRequest) {
      switch (request.case) {
        case "listServices":
          return { case: "listServicesResponse", value: { service: names.map((name) => ({ name })) } } as const;
        case "fileByFilename":
          return found(files.get(request.value), request.value);
        case "fileContainingSymbol":
          return found(fileOf(registry, request.value), request.value);
        case "fileContainingExtension": {
          const { containingType, extensionNumber } = request.value;
          const extension = extensions(registry).find(
            (each) => each.extendee.typeName === containingType && each.number === extensionNumber,
          );
          return found(extension?.file, `extension ${extensionNumber} of ${containingType}`);
        }
        case "allExtensionNumbersOfType": {
          const extensionNumber = extensions(registry)
            .filter((each) => each.extendee.typeName === request.value)
            .map((each) => each.number);
          return {
            case: "allExtensionNumbersResponse",
            value: { baseTypeName: request.value, extensionNumber },
          } as const;
        }
        default:
          return {
            case: "errorResponse",
            value: {
              errorCode: Code.InvalidArgument,
              errorMessage: "the request asks for nothing: set message_request",
            },
          } as const;
      }
    },
  };
}

function extensions(registry: Registry) {
  return [...registry].filter((type) => type.kind === "extension");
}

/** The file that declares a type, a service, one of its methods, or a field or value of a type. */
function fileOf(registry: Registry, symbol: string): DescFile | undefined {
  const name = symbol.replace(/^\./, "");
  const type = registry.get(name);
  if (type) return type.file;
  const parent = registry.get(name.slice(0, name.lastIndexOf(".")));
  const member = name.slice(name.lastIndexOf(".") + 1);
  switch (parent?.kind) {
    case "service":
      return parent.methods.some((method) => method.name === member) ? parent.file : undefined;
    case "message":
      return parent.fields.some((field) => field.name === member) ? parent.file : undefined;
    default:
      return undefined;
  }
}

/** A file and all that it imports, each once: clients need the whole set. */
function withDependencies(file: DescFile): Uint8Array[] {
  const seen = new Set<DescFile>();
  const visit = (each: DescFile): void => {
    if (seen.has(each)) return;
    seen.add(each);
    for (const dependency of each.dependencies) visit(dependency);
  };
  visit(file);
  return [...seen].map((each) => toBinary(FileDescriptorProtoSchema, each.proto));
}
