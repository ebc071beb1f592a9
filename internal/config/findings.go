package config

import (
	"errors"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
)

// Finding is a mistake as JSON has it.
type Finding struct {
	File    string `json:"file,omitempty"`   // "" if it has no place
	Line    int    `json:"line,omitempty"`   // from 1
	Column  int    `json:"column,omitempty"` // from 1
	Key     string `json:"key,omitempty"`    // "retention[1].keep.last"
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"` // the remedy, if the message does not have it
}

// Findings are the mistakes in an error of Load, Parse or Problem. Any other error is
// one without a place.
func Findings(err error) []Finding {
	var problems strictyaml.Problems
	if !errors.As(err, &problems) {
		return []Finding{{Message: err.Error()}}
	}
	out := make([]Finding, len(problems))
	for i, p := range problems {
		out[i] = findingOf(p)
	}
	return out
}

func findingOf(p strictyaml.Problem) Finding {
	return Finding{File: p.File, Line: p.Line, Column: p.Column, Key: p.Path, Message: p.Message, Hint: p.Hint}
}

// Finding is the warning as a program reads it.
func (w *Warning) Finding() Finding { return findingOf(w.Problem) }
