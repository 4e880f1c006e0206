"""The commands that texts of ours name: the test that does each and sees it heal, or why none does."""

from __future__ import annotations

from collections.abc import Mapping

Places = Mapping[str, tuple[str, ...]]
"""Commands, by the file that names them."""

HEALED: Mapping[str, Places] = {
    "cli/test_ways_out_of_errors.py::test_a_working_copy_that_was_led_astray_is_brought_back": {
        "actors/way_out.py": ("git -C",),
    },
    "cli/test_ways_out_of_errors.py::test_without_any_supervisor_one_begins_with_init": {
        "cli/repositories.py": ("init",),
    },
    "cli/test_ways_out_of_errors.py::test_what_is_held_is_released_by_what_holding_prints": {
        "cli/verbs/queue.py": ("queue release",),
    },
    "cli/test_ways_out_of_errors.py::test_a_message_to_an_exited_one_is_read_after_what_is_printed": {
        "actors/answers.py": ("session restore",),
        "cli/verbs/send.py": ("session restore",),
    },
    "cli/test_ways_out_of_errors.py::test_an_edited_file_is_taken_in_by_a_reload": {
        "board/heading.py": ("reload",),
        "cli/edited_file.py": ("reload",),
        "cli/verbs/status.py": ("reload",),
    },
    "cli/test_ways_out_of_errors.py::test_a_token_that_was_spoilt_is_made_anew": {
        "cli/context.py": ("start", "stop"),
    },
    "cli/test_ways_out.py::test_a_finding_is_healed_by_what_is_printed_under_it": {
        "cli/doctor/base_branch.py": ("git -C",),
        "cli/doctor/configuration.py": ("config trust", "git clone", "init"),
        "cli/doctor/machine.py": ("git config",),
        "cli/doctor/ownership.py": ("git config",),
        "cli/doctor/running.py": ("start", "stop"),
        "plugins/git_errors.py": ("git clone",),
    },
    "cli/test_homes.py::test_a_home_that_is_closed_to_its_owner_is_opened_by_what_doctor_prints": {
        "machine/closed_place.py": ("chmod",),
    },
    "cli/test_ways_out_of_errors.py::test_a_database_of_which_a_copy_was_saved_is_put_back": {
        "cli/doctor/machine.py": ("start",),
    },
    "cli/test_ways_out.py::test_a_terminal_of_no_session_is_ended": {
        "cli/doctor/running.py": ("tmux -L",),
    },
    "cli/test_ways_out_of_errors.py::test_a_repository_without_a_commit_is_given_one": {
        "cli/repository.py": ("git add",),
    },
    "cli/test_ways_out_of_errors.py::test_a_folder_without_a_repository_is_made_one": {
        "cli/repository.py": ("git init",),
    },
    "cli/test_ways_out_of_errors.py"
    "::test_a_folder_that_is_to_be_none_gets_a_file_without_a_project": {
        "cli/repository.py": ("init",),
    },
    "cli/test_ways_out_of_errors.py::test_a_session_that_nobody_knows_is_found_in_the_list": {
        "cli/session_name.py": ("session list",),
        "store/sessions.py": ("session list",),
    },
    "cli/test_ways_out_of_errors.py::test_a_log_that_is_not_there_is_written_by_a_start_in_the_background": {
        "cli/verbs/logs.py": ("start",),
    },
    "cli/test_ways_out_of_errors.py::test_a_held_one_is_released_and_an_exited_one_restored": {
        "cli/verbs/spawn.py": ("queue release",),
        "policy/admission.py": ("queue release",),
    },
    "cli/test_ways_out_of_errors.py::test_one_that_runs_already_is_stopped": {
        "cli/verbs/start.py": ("stop",),
    },
    "cli/test_ways_out.py::test_a_supervisor_that_does_not_end_is_killed_by_force_and_its_agents_go_on": {
        "cli/verbs/stop.py": ("stop",),
    },
    "cli/test_ways_out_of_errors.py::test_a_second_file_on_the_same_database_names_the_command_that_ends_the_first": {
        "config/database.py": ("stop",),
    },
    "cli/test_ways_out_of_errors.py::test_a_configuration_that_was_named_and_is_not_there_is_written_there": {
        "config/discover.py": ("init",),
    },
    "cli/test_ways_out_of_errors.py::test_a_configuration_that_is_not_trusted_is_trusted_by_what_is_printed": {
        "config/trusted.py": ("config trust",),
    },
    "cli/test_ways_out_of_errors.py::test_an_empty_configuration_is_written_by_init": {
        "config/yaml_source.py": ("init",),
    },
    "cli/test_ways_out_of_errors.py::test_without_a_supervisor_one_is_started": {
        "http/client.py": ("start",),
    },
    "cli/test_ways_out_of_errors.py::test_a_database_that_was_taken_away_is_gone_on_with": {
        "store/database_file.py": ("start", "stop"),
    },
    "cli/test_ways_out_of_sessions.py::test_one_that_asks_nothing_is_given_its_words_by_send": {
        "actors/answers.py": ("send",),
    },
    "cli/test_ways_out_of_sessions.py"
    "::test_the_branch_of_one_that_has_ended_is_had_by_what_is_printed": {
        "actors/branch_rivals.py": ("cleanup", "session restore"),
    },
    "cli/test_ways_out_of_sessions.py"
    "::test_a_branch_that_a_working_copy_holds_is_freed_by_what_is_printed": {
        "plugins/workspace/session_branch.py": ("cleanup",),
    },
    "cli/test_ways_out_of_sessions.py::test_what_a_link_would_not_answer_is_answered_by_the_command_it_names": {
        "actors/answer_links.py": ("answer",),
    },
    "cli/test_ways_out_of_sessions.py"
    "::test_what_nobody_knows_to_be_answered_is_seen_and_answered_as_is_printed": {
        "actors/answers.py": ("answer", "output"),
    },
    "cli/test_ways_out_of_sessions.py::test_what_is_killed_is_cleaned_up_shown_and_brought_back_as_is_printed": {
        "cli/verbs/preserved.py": (
            "git -C",
            "preserved restore",
        ),
        "cli/verbs/session.py": ("cleanup",),
        "policy/lifecycle/orders.py": ("spawn",),
    },
    "cli/test_ways_out_of_sessions.py::test_what_is_merged_is_not_killed_but_cleaned_up": {
        "policy/lifecycle/orders.py": ("cleanup",),
    },
    "cli/test_ways_out_of_sessions.py::test_a_working_copy_that_was_deleted_is_made_again": {
        "actors/way_out.py": ("session restore",),
        "policy/turn_words.py": ("session restore",),
    },
    "cli/test_ways_out_of_sessions.py::test_a_working_copy_that_somebody_locked_is_unlocked": {
        "plugins/workspace/worktree.py": ("git -C",),
    },
    "cli/test_ways_out_of_sessions.py::test_a_path_that_is_not_there_is_cloned": {
        "plugins/workspace/repository.py": ("git clone",),
    },
    "cli/test_ways_out_of_sessions.py::test_a_branch_that_went_two_ways_is_brought_together": {
        "plugins/workspace/session_branch.py": ("git -C",),
    },
    "cli/test_ways_out_of_sessions.py::test_a_check_whose_log_is_lost_is_run_again": {
        "plugins/forge/local/whole_log.py": ("pr rerun",),
    },
    "cli/test_ways_out_of_sessions.py::test_one_that_waits_for_a_review_is_given_one_and_merged": {
        "actors/landing.py": ("pr approve",),
    },
    "cli/test_ways_out_of_sessions.py::test_one_that_waits_for_a_person_leaves_the_queue": {
        "cli/verbs/spawn.py": ("queue drop",),
    },
    "cli/test_ways_out_of_sessions.py::test_one_that_nobody_watches_is_watched_again_at_once": {
        "actors/orchestrator/sessions.py": ("session restore",),
        "actors/root.py": ("session restore",),
    },
    "cli/test_ways_out_of_sessions.py::test_a_session_that_a_budget_holds_has_three_ways_on": {
        "policy/budgets/words.py": (
            "budget go-on",
            "budget raise",
            "session kill",
        ),
    },
    "cli/test_ways_out_of_sessions.py::test_one_that_rests_while_it_is_paused_is_given_more": {
        "policy/lifecycle/pausing.py": ("budget raise",),
    },
    "cli/test_ways_out_of_sessions.py"
    "::test_a_budget_of_each_that_has_no_room_for_any_session_is_set_anew": {
        "policy/budgets/words.py": ("budget set", "reload"),
    },
    "cli/test_ways_out_of_sessions.py::test_a_budget_of_the_file_is_changed_there": {
        "actors/orchestrator/budgets.py": ("reload",),
    },
    "cli/test_ways_out_of_sessions.py::test_one_whose_plan_is_used_up_goes_on_by_what_its_notice_says": {
        "policy/reactions/cases.py": ("session resume",),
    },
    "cli/test_ways_out_of_sessions.py::test_a_session_whose_project_left_the_file_is_watched_again_or_ended": {
        "actors/strays.py": (
            "reload",
            "session kill",
        ),
    },
    "cli/test_ways_out_of_sessions.py::test_an_agent_that_its_settings_do_not_fit_any_more_is_had_again": {
        "hosts/unfit_agent.py": ("reload",),
    },
    "cli/test_ways_out.py::test_a_supervisor_that_does_not_find_an_agent_is_begun_anew": {
        "hosts/agent_program.py": (
            "start",
            "stop",
        ),
    },
    "cli/test_ways_out_of_errors.py::test_a_repository_that_is_checked_out_is_given_a_bare_one_by_init": {
        "plugins/forge/local/merging.py": ("init",),
    },
    "cli/test_ways_out.py::test_a_channel_that_nobody_answered_is_tested_once_somebody_does": {
        "cli/doctor/channels.py": ("notify test",),
    },
    "cli/test_ways_out_of_errors.py::test_a_configuration_that_went_meanwhile_is_written_by_init": {
        "config/load.py": ("init",),
    },
    "cli/test_ways_out_of_errors.py::test_a_password_in_an_address_is_left_to_git": {
        "config/text_fields.py": ("git config",),
    },
    "cli/test_ways_out_of_errors.py::test_what_is_left_of_a_damaged_database_is_gone_on_with": {
        "store/sqlite.py": ("sqlite3",),
    },
    "cli/test_ways_out_of_errors.py::test_each_step_of_the_first_hour_names_the_next_one": {
        "cli/verbs/config.py": ("reload",),
        "cli/verbs/reload.py": (
            "start",
            "stop",
        ),
        "cli/verbs/status.py": ("spawn",),
        "cli/verbs/budget.py": ("budget set",),
        "cli/verbs/stop.py": ("start",),
    },
    "http/test_serve.py::test_a_second_one_for_the_same_configuration_says_who_is_first": {
        "http/serve.py": ("stop",),
    },
    "e2e/test_node.py::test_disconnecting_shuts_it_down_and_its_session_goes_on_unseen": {
        "actors/node.py": ("node connect",),
        "cli/verbs/node.py": ("node connect",),
        "policy/nodes.py": ("node connect",),
    },
    "e2e/test_node.py::test_a_node_of_another_version_is_replaced_by_what_is_printed": {
        "cli/doctor/versions.py": ("node connect", "node disconnect"),
        "node/link.py": ("node disconnect",),
    },
    "cli/test_ways_out_elsewhere.py"
    "::test_a_server_that_another_folder_works_on_is_had_once_that_one_is_stopped": {
        "store/postgres.py": ("stop",),
    },
    "cli/test_ways_out_elsewhere.py::test_a_supervisor_of_another_version_is_begun_anew": {
        "cli/doctor/versions.py": ("start", "stop"),
    },
    "install/test_service.py::test_a_supervisor_that_runs_already_is_handed_over_as_is_printed": {
        "cli/verbs/service.py": ("service install", "start", "stop"),
    },
    "ssh/test_known_hosts.py"
    "::test_a_changed_key_is_refused_with_the_line_and_the_command_that_mends_it": {
        "machine/ssh/host_keys.py": ("ssh-keygen",),
    },
}
"""By the test."""

UNDONE: Mapping[str, Places] = {
    "it mends nothing: it shows more, and whoever reads it decides": {
        "policy/turn_words.py": ("session why",),
        "plugins/workspace/last_commit.py": ("git -C",),
        "actors/answers.py": ("session why",),
        "actors/landing.py": ("pr diff",),
        "actors/orchestrator/pulls.py": ("pr show",),
        "actors/preserved.py": ("node list", "preserved list", "preserved show"),
        "actors/retention.py": ("status",),
        "cli/context.py": ("status",),
        "cli/doctor/configuration.py": ("config check", "events"),
        "cli/doctor/hosts.py": ("doctor",),
        "cli/doctor/machine.py": ("cleanup",),
        "cli/doctor/running.py": ("logs", "status"),
        "cli/doctor/versions.py": ("doctor",),
        "cli/parser.py": ("--help", "demo"),
        "cli/verbs/board.py": ("board", "status"),
        "cli/verbs/budget.py": ("budget list",),
        "cli/verbs/open.py": ("doctor",),
        "cli/verbs/pr.py": ("messages", "pr show"),
        "cli/verbs/reload.py": ("logs", "status"),
        "cli/verbs/send.py": ("messages",),
        "cli/verbs/service.py": ("logs",),
        "cli/verbs/session.py": ("queue list", "session info", "session why"),
        "cli/verbs/spawn.py": ("queue list", "session info"),
        "cli/verbs/start.py": ("doctor", "logs"),
        "cli/verbs/status.py": ("cleanup", "queue list", "status"),
        "cli/verbs/stop.py": ("fuser -v", "logs", "ps -fp"),
        "http/browser.py": ("dashboard",),
        "http/client.py": ("doctor",),
        "http/envelope.py": ("logs",),
        "http/lost_answer.py": (
            "budget list",
            "issue list",
            "pr list",
            "pr show",
            "queue list",
            "session info",
            "session list",
            "status",
        ),
        "http/resources/terminals.py": ("logs",),
        "http/worker.py": ("logs",),
        "node/elsewhere.py": ("node status",),
        "plugins/trial_merge.py": ("doctor",),
        "plugins/workspace/changes.py": ("diff",),
        "plugins/workspace/repository.py": ("git config",),
        "plugins/workspace/worktree_state.py": ("git config",),
        "policy/degradation.py": ("status",),
    },
    "no error: it leads on after something that went well, or is shown beside it": {
        "board/errands.py": ("spawn",),
        "board/frame.py": ("demo", "spawn"),
        "board/keyboard.py": ("queue hold",),
        "board/pages.py": ("budget set", "cost", "dashboard", "diff", "events", "spawn", "status"),
        "board/panes.py": ("session info",),
        "board/plain.py": ("board",),
        "cli/detail_view.py": ("events",),
        "cli/pack_view.py": ("diff",),
        "cli/services/launchd.py": ("service install", "service remove"),
        "cli/services/spec.py": ("service install",),
        "cli/services/systemd.py": ("loginctl", "service install", "service remove", "systemctl"),
        "cli/verbs/completion.py": ("completion",),
        "cli/verbs/database.py": ("start",),
        "cli/verbs/init.py": ("config check", "git pull", "git push", "spawn", "start"),
        "cli/verbs/issue.py": ("spawn",),
        "cli/verbs/review.py": ("messages",),
        "config/schema.py": ("init", "pr merge"),
        "config/template.py": (
            "config check",
            "config show",
            "git pull",
            "npm install",
            "open",
            "reload",
        ),
        "demo/director.py": ("kill -9",),
        "demo/picture.py": ("demo",),
        "demo/play.py": ("demo",),
        "demo/report.py": ("demo",),
        "demo/scene.py": ("sudo apt-get",),
        "demo/wording.py": ("git worktree",),
        "http/pages.py": (
            "answer",
            "notices",
            "npm --prefix",
            "open",
            "pr show",
            "session info",
            "session list",
            "status",
        ),
        "machine/at_place.py": ("sqlite3",),
        "model/verbs.py": (
            "answer",
            "budget go-on",
            "budget raise",
            "cleanup",
            "open",
            "pr",
            "pr request-changes",
            "queue drop",
            "queue move",
            "queue release",
            "send",
            "session kill",
            "session resume",
        ),
        "policy/prompt.py": ("git push",),
        "policy/reactions/summary.py": (
            "session why",
            "answer",
            "open",
            "pr merge",
            "send",
            "session info",
            "session restore",
        ),
    },
    "a person decides: it installs a program, or changes the machine or an account": {
        "cli/dashboard_build.py": ("sudo apt-get",),
        "cli/doctor/github.py": ("gh auth login",),
        "cli/doctor/hosts.py": (
            "sudo timedatectl",
            "sudo apt-get",
        ),
        "cli/doctor/machine.py": (
            "sudo apk",
            "sudo apt-get",
            "sudo dnf",
            "sudo pacman",
            "sudo zypper",
        ),
        "cli/doctor/nodes.py": ("sudo apt-get",),
        "config/ownership.py": ("chmod", "sudo chown"),
        "machine/closed_place.py": ("sudo chown", "sudo mount"),
        "plugins/git_errors.py": ("chmod", "sudo chown", "sudo mount"),
        "hosts/sharing.py": ("chmod", "sudo apt-get"),
        "machine/file_watches.py": ("sysctl",),
        "machine/process_ends.py": ("ulimit",),
        "machine/sandbox/availability.py": ("sudo apt-get", "sudo sysctl"),
        "model/errors.py": ("ulimit",),
        "nats/identity.py": ("nsc",),
        "node/options.py": ("chmod",),
        "node/over_there.py": ("chmod", "sudo apt-get"),
        "plugins/agent/claude_code.py": ("npm install",),
        "plugins/agent/codex.py": ("npm install",),
        "plugins/agent/opencode.py": ("npm install",),
        "plugins/github/client.py": ("gh auth login",),
        "plugins/github/token.py": ("gh auth login",),
        "plugins/notifier/desktop.py": ("sudo apt-get",),
    },
}
"""By the reason why none is done by a test."""
