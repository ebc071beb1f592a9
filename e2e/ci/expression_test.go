package ci

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// token is a piece of an expression of GitHub's: a text, a name with its call, an
// operator.
var token = regexp.MustCompile(`^\s*('(?:[^']|'')*'|[A-Za-z_][A-Za-z0-9_.-]*(?:\(\))?|==|!=|&&|\|\||[!()])`)

// expression evaluates what the workflow uses of GitHub's expressions. A name that
// is not in the context is an error, so that a typo is.
type expression struct {
	rest    string
	context map[string]string
	err     error
}

func evaluate(t *testing.T, text string, context map[string]string) string {
	t.Helper()
	e := &expression{rest: text, context: context}
	value := e.or()
	if e.err == nil && strings.TrimSpace(e.rest) != "" {
		e.err = fmt.Errorf("%q is left over", e.rest)
	}
	if e.err != nil {
		t.Fatalf("the expression %q: %v", text, e.err)
	}
	return value
}

func (e *expression) peek() string {
	if m := token.FindStringSubmatch(e.rest); m != nil {
		return m[1]
	}
	return ""
}

func (e *expression) next() string {
	m := token.FindStringSubmatch(e.rest)
	if m == nil {
		if e.err == nil {
			e.err = fmt.Errorf("nothing is understood at %q", e.rest)
		}
		e.rest = ""
		return ""
	}
	e.rest = e.rest[len(m[0]):]
	return m[1]
}

func truth(s string) bool { return s != "" && s != "false" }

func (e *expression) or() string {
	value := e.and()
	for e.peek() == "||" {
		e.next()
		if other := e.and(); !truth(value) {
			value = other
		}
	}
	return value
}

func (e *expression) and() string {
	value := e.comparison()
	for e.peek() == "&&" {
		e.next()
		if other := e.comparison(); truth(value) {
			value = other
		}
	}
	return value
}

func (e *expression) comparison() string {
	value := e.atom()
	switch e.peek() {
	case "==":
		e.next()
		return fmt.Sprint(value == e.atom())
	case "!=":
		e.next()
		return fmt.Sprint(value != e.atom())
	}
	return value
}

func (e *expression) atom() string {
	switch word := e.next(); {
	case word == "!":
		return fmt.Sprint(!truth(e.atom()))
	case word == "(":
		value := e.or()
		if e.next() != ")" && e.err == nil {
			e.err = fmt.Errorf("a bracket stays open")
		}
		return value
	case strings.HasPrefix(word, "'"):
		return strings.ReplaceAll(word[1:len(word)-1], "''", "'")
	default:
		value, ok := e.context[word]
		if !ok && e.err == nil {
			e.err = fmt.Errorf("%q is not known here", word)
		}
		return value
	}
}

var placeholder = regexp.MustCompile(`\$\{\{(.*?)\}\}`)

// fillIn evaluates the expressions in a text.
func fillIn(t *testing.T, text string, context map[string]string) string {
	t.Helper()
	return placeholder.ReplaceAllStringFunc(text, func(s string) string {
		return evaluate(t, strings.TrimSpace(s[3:len(s)-2]), context)
	})
}

func TestExpressions(t *testing.T) {
	context := map[string]string{"a": "1", "b": "", "f()": "true"}
	for text, want := range map[string]string{
		"a == '1'": "true", "a != '1' || b": "", "!b && a": "1", "(b || 'it''s') == 'it''s'": "true", "f() && a == '2' || b == ''": "true", "!(a == '1')": "false",
	} {
		if got := evaluate(t, text, context); got != want {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
	}
}
