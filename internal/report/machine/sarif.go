package machine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

// SARIF writes the violations as SARIF 2.1.0, for code scanning. Gaps and
// refusals are notifications of the run, which did not succeed if there is one.
//
// The types have only what is used of the standard:
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
func SARIF(w io.Writer, of runs.Run) error {
	p, run := planOf(of), sarifRun{Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "registry-janitor", InformationURI: "https://github.com/registry-janitor/registry-janitor", Rules: []sarifRule{}}
	index := map[string]int{}
	for _, v := range outline.Violations(p) {
		i, ok := index[v.Rule]
		if !ok {
			i = len(index)
			index[v.Rule] = i
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{ID: v.Rule})
		}
		run.Results = append(run.Results, sarifResultOf(v, i))
	}
	run.Invocations = []sarifInvocation{sarifInvocationOf(of.Error, p)}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool struct {
		Driver sarifDriver `json:"driver"`
	} `json:"tool"`
	Invocations []sarifInvocation `json:"invocations"`
	Results     []sarifResult     `json:"results"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	InformationURI string      `json:"informationUri"`
	Rules          []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID string `json:"id"`
}

type sarifInvocation struct {
	Successful    bool                `json:"executionSuccessful"`
	Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
}

type sarifNotification struct {
	Level   string    `json:"level"`
	Message sarifText `json:"message"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID       string             `json:"ruleId"`
	RuleIndex    int                `json:"ruleIndex"`
	Level        string             `json:"level"`
	Message      sarifText          `json:"message"`
	Locations    []sarifLocation    `json:"locations"`
	Fingerprints map[string]string  `json:"partialFingerprints"`
	Suppressions []sarifSuppression `json:"suppressions,omitempty"`
}

type sarifSuppression struct {
	Kind          string `json:"kind"`
	Justification string `json:"justification"`
}

type sarifLocation struct {
	Physical sarifPhysical  `json:"physicalLocation"`
	Logical  []sarifLogical `json:"logicalLocations"`
}

type sarifPhysical struct {
	Artifact struct {
		URI string `json:"uri"`
	} `json:"artifactLocation"`
	Region struct {
		StartLine int `json:"startLine"`
	} `json:"region"`
}

type sarifLogical struct {
	FullyQualifiedName string `json:"fullyQualifiedName"`
}

// sarifResultOf is one violation. GitHub wants a file for each: the policy that
// reports it, or else what violates it, as scanners of images do.
func sarifResultOf(v registry.Violation, rule int) sarifResult {
	l := sarifLocation{Logical: []sarifLogical{{v.Ref}}}
	file, line, ok := placeOf(v.Source)
	if !ok {
		file, line = v.Ref, 1
	}
	l.Physical.Artifact.URI, l.Physical.Region.StartLine = (&url.URL{Path: file}).String(), line
	sum := sha256.Sum256([]byte(v.Rule + "\x00" + v.Ref + "\x00" + v.Text))
	result := sarifResult{
		RuleID: v.Rule, RuleIndex: rule, Level: sarifLevel(v.Severity),
		Message:      sarifText{v.Ref + ": " + v.Text},
		Locations:    []sarifLocation{l},
		Fingerprints: map[string]string{"violation/v1": hex.EncodeToString(sum[:])},
	}
	if v.Severity == registry.Waived {
		result.Suppressions = []sarifSuppression{{"external", "waived for " + v.Owner}}
	}
	return result
}

// sarifLevel is the severity in the words of SARIF.
func sarifLevel(s registry.Severity) string {
	if s == registry.Waived {
		return "note"
	}
	return levelOf(s)
}

func sarifInvocationOf(failure string, p *actions.Plan) sarifInvocation {
	i := sarifInvocation{Successful: failure == "" && !p.Incomplete() && !p.Refused() && (p.Outcome == nil || !p.Outcome.Incomplete())}
	if failure != "" {
		i.Notifications = append(i.Notifications, sarifNotification{"error", sarifText{failure}})
	}
	for _, r := range p.Refusals {
		i.Notifications = append(i.Notifications, sarifNotification{"error", sarifText{"Refused by limits." + r.Limit + ": " + r.Detail}})
	}
	for _, g := range p.Gaps {
		i.Notifications = append(i.Notifications, sarifNotification{"error", sarifText{"Gap: " + g.Subject + ": " + g.Error}})
	}
	return i
}
