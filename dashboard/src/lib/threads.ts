// What was said on a pull request, as threads: the comments that answer one another, in their order.
import type { Schemas } from "./api";

export type Pull = Schemas["Pull"];
export type Comment = Pull["comments"][number];

export interface Thread {
  id: string;
  path: string | null;
  line: number | null;
  comments: Comment[];
}

export function threadsOf(pull: Pull | null): Thread[] {
  const found = new Map<string, Thread>();
  for (const comment of pull?.comments ?? []) {
    const id = comment.thread ?? comment.id;
    const thread = found.get(id) ?? { id, path: comment.path, line: comment.line, comments: [] };
    thread.comments.push(comment);
    found.set(id, thread);
  }
  return [...found.values()];
}
