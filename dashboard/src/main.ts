import { mount } from "svelte";
import App from "./App.svelte";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/frame.css";

const place = document.getElementById("app");
if (place === null) throw new Error("index.html has no #app");

// a part that is loaded late is gone when the page was built anew meanwhile: once more from the start
addEventListener("vite:preloadError", () => {
  const again = "ennio-loaded-anew";
  const last = Number(sessionStorage.getItem(again) ?? 0);
  if (Date.now() - last < 10_000) return;
  // while Ennio does not answer, the page that is here is all there is
  fetch("/", { cache: "no-store" }).then(
    (found) => {
      if (!found.ok) return;
      sessionStorage.setItem(again, String(Date.now()));
      location.reload();
    },
    () => {},
  );
});

mount(App, { target: place });
