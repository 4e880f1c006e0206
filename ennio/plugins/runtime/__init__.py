"""Where agents live: terminals that outlast the supervisor (tmux, process), and a stub of them."""
