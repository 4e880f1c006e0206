// Which verb a key asked for, of which session: whoever shows that session's verbs takes it up.

class Acting {
  wanted = $state.raw<{ id: string; verb: string; option: number | null; at: number } | null>(null);

  ask(id: string, verb: string, option: number | null = null): void {
    this.wanted = { id, verb, option, at: Date.now() };
  }

  take(id: string): { verb: string; option: number | null } | null {
    const wanted = this.wanted;
    if (wanted === null || wanted.id !== id) return null;
    this.wanted = null;
    return wanted;
  }
}

export const acting = new Acting();
