/** As in every gRPC implementation. */
export const defaultMaxMessageBytes = 4 * 1024 * 1024;
