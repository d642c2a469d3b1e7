import { type FSWatcher, globSync, watch } from "node:fs";
import { join, relative, sep } from "node:path";

/** An editor writes a file in several steps, and "save all" several files. */
const QUIET_MS = 150;

/**
 * Calls back with the files (relative to the root) that changed under proto/ and the src/ and bin/ folders of packages
 * and services, once they have been quiet. One call at a time: what changes meanwhile comes with the next.
 */
export function watchSources(root: string, onChange: (files: readonly string[]) => Promise<void>): { close(): void } {
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let busy = false;
  let closed = false;

  const flush = async () => {
    if (busy || closed || changed.size === 0) return;
    busy = true;
    const files = [...changed];
    changed.clear();
    await onChange(files).finally(() => {
      busy = false;
    });
    if (changed.size > 0) later();
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void flush(), QUIET_MS);
  };

  const watchers = globSync(["proto", "{packages,services}/*/{src,bin}"], { cwd: root }).map((folder) =>
    watchFolder(join(root, folder), (name) => {
      changed.add(
        relative(root, join(root, folder, name))
          .split(sep)
          .join("/"),
      );
      later();
    }),
  );
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}

function watchFolder(folder: string, onFile: (name: string) => void): FSWatcher {
  const watcher = watch(folder, { recursive: true }, (_event, name) => {
    if (name !== null) onFile(name);
  });
  // A folder that is deleted while it is watched is no reason to end.
  watcher.on("error", () => {});
  return watcher;
}
