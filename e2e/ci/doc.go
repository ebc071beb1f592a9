// Package ci tests the files of examples/ci. actionlint and shellcheck check them, and bash runs
// the script of every job in a repository of its own, with the real program and the emulator.
// Stand-ins replace the programs that talk to GitHub or GitLab. The tests must never talk to
// another host.
package ci
