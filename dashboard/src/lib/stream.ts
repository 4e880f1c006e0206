// Server-Sent Events read from a fetch, not by an EventSource: that one needs to be told every name
// of an event beforehand, does not show heartbeats, and cannot be told where to go on from.

export interface StreamEvent {
  seq: number;
  event_type: string;
  priority: "info" | "action" | "urgent" | "critical";
  session_id: string;
  project_id: string;
  timestamp: string;
  message: string;
  data: Record<string, unknown>;
}

export interface Block {
  id: number | null;
  data: string | null;
}

/** Cuts what arrives into blocks; a block may come in any number of pieces. */
export class Blocks {
  #rest = "";

  take(piece: string): Block[] {
    const parts = (this.#rest + piece).split("\n\n");
    this.#rest = parts.pop() ?? "";
    return parts.map(read);
  }
}

function read(text: string): Block {
  const block: Block = { id: null, data: null };
  for (const line of text.split("\n")) {
    if (line.startsWith("id: ")) block.id = Number(line.slice(4));
    else if (line.startsWith("data: ")) block.data = (block.data ?? "") + line.slice(6);
  }
  return block;
}

/** Longer than two heartbeats of the server: whoever is silent for that long is not there. */
const DEAF = 35_000;

/** Reads one connection to its end, from the event behind `after`; throws when it breaks. */
export async function listen(
  after: number | null,
  onBlock: (block: Block) => void,
  stop: AbortSignal,
): Promise<never> {
  const deaf = new AbortController();
  let timer = setTimeout(() => deaf.abort(), DEAF);
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => deaf.abort(), DEAF);
  };
  try {
    const answer = await fetch("/api/v1/events/stream", {
      headers: after === null ? {} : { "Last-Event-ID": String(after) },
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.any([stop, deaf.signal]),
    });
    if (!answer.ok || answer.body === null) throw new StreamRefused(answer.status);
    const blocks = new Blocks();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) throw new Error("the stream ended");
      heard();
      for (const block of blocks.take(value)) onBlock(block);
    }
  } finally {
    clearTimeout(timer);
  }
}

export class StreamRefused extends Error {
  constructor(readonly status: number) {
    super(`the stream was refused with ${status}`);
  }
}
