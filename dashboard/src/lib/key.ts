/** A new name for one sending, by which it is known again when it is sent twice. `randomUUID` is there
 *  over https and on this machine alone; a page may be read over plain http from another one. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
