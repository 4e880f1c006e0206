// Whether a terminal has the whole width of its page; what is known of it stands below then.
const KEPT = "ennio-terminal-wide";

class Widened {
  on = $state(localStorage.getItem(KEPT) === "1");

  toggle(): void {
    this.on = !this.on;
    localStorage.setItem(KEPT, this.on ? "1" : "0");
  }
}

export const widened = new Widened();
