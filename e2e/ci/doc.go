// Package ci has the tests of examples/ci: both pipelines are read strictly, and
// the script of every job is run by bash in a repository of its own, with the real
// program against the emulator. What would talk to GitHub or GitLab is replaced by
// programs that note what they were asked. It must never talk to anybody else.
package ci
