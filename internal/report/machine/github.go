package machine

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

// GitHub writes workflow commands, which GitHub Actions shows as annotations of
// the job and of the policy that reports a violation: what refuses the plan and what
// could not be read first, because GitHub shows ten of a kind, and the totals, in words,
// last.
func GitHub(w io.Writer, run runs.Run, totals string) error {
	var b strings.Builder
	p := planOf(run)
	if run.Error != "" {
		b.WriteString(annotation("error", "The run failed", "", run.Error))
	}
	for _, r := range p.Refusals {
		b.WriteString(annotation("error", "Refused by limits."+r.Limit, "", r.Detail))
	}
	for _, g := range p.Gaps {
		b.WriteString(annotation("error", "Gap: "+g.Subject, "", g.Error))
	}
	for _, v := range outline.Violations(p) {
		b.WriteString(annotation(levelOf(v.Severity), v.Rule, v.Source, v.Ref+": "+v.Text))
	}
	if run.Plan != nil {
		b.WriteString(annotation("notice", "registry-janitor", "", totals))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// levelOf is the severity in the words of GitHub.
func levelOf(s registry.Severity) string {
	switch s {
	case registry.Deny:
		return "error"
	case registry.Waived:
		return "notice"
	}
	return "warning"
}

// annotation is one command. A source, "policies/own.rego:7", is where GitHub shows it.
func annotation(level, title, source, message string) string {
	place := ""
	if file, line, ok := placeOf(source); ok {
		place = fmt.Sprintf("file=%s,line=%d,", escapeProperty(file), line)
	}
	return "::" + level + " " + place + "title=" + escapeProperty(title) + "::" + escapeCommand(message) + "\n"
}

// placeOf takes the place of a rule apart.
func placeOf(source string) (file string, line int, ok bool) {
	i := strings.LastIndexByte(source, ':')
	if i <= 0 {
		return "", 0, false
	}
	line, err := strconv.Atoi(source[i+1:])
	return source[:i], line, err == nil && line > 0
}

// escapeCommand escapes the message of a workflow command, as GitHub's toolkit does.
func escapeCommand(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// escapeProperty escapes the value of a property.
func escapeProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}
