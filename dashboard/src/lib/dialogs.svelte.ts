// Which dialog is open over the page; one at a time.
export type DialogName = "palette" | "help" | "spawn";

class Dialogs {
  shown = $state.raw<DialogName | null>(null);
  #before: Element | null = null;

  open(name: DialogName): void {
    this.#before ??= document.activeElement;
    this.shown = name;
  }

  /** Close it; the focus goes back to where it was, unless another one is opened from it. */
  close(): void {
    this.shown = null;
    queueMicrotask(() => {
      if (this.shown !== null) return;
      const before = this.#before;
      this.#before = null;
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    });
  }
}

export const dialogs = new Dialogs();
