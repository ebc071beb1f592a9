package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/url"
	"strings"

	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/slack"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/chat/teams"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/email/smtp"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/specialized/generic"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"
)

// service is where messages go.
type service struct {
	url    *url.URL
	scheme string
	shape  shape
	redactor
	// sends bounds the messages that the service has not answered yet. The library's
	// services take no context, and some wait for ever: what is given up is left
	// alone until the connection ends.
	sends chan struct{}
}

// shape is how a service wants a message.
type shape int

const (
	shapeTitled  shape = iota // a title beside the text
	shapePlain                // the text alone
	shapeMail                 // the title in a header
	shapeWebhook              // JSON with both
	shapeCard                 // an adaptive card, for a workflow of Teams
)

// pendingMax is how many messages one service may owe an answer.
const pendingMax = 4

// newService checks a URL without sending anything. The error has nothing of it.
func newService(raw string) (*service, error) {
	s := &service{redactor: newRedactor(raw), sends: make(chan struct{}, pendingMax)}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("it is no URL")
	}
	if u.Scheme == "" {
		return nil, errors.New("it has no scheme, such as slack:// or https://")
	}
	s.url, s.shape = resolve(u)
	s.scheme, _, _ = strings.Cut(s.url.Scheme, "+")
	if _, err := s.open(); err != nil {
		return nil, err
	}
	return s, nil
}

// resolve makes a URL of shoutrrr's of a webhook as its service hands it out.
func resolve(u *url.URL) (*url.URL, shape) {
	if u.Scheme != "https" && u.Scheme != "http" {
		return u, shapeOf(u)
	}
	host, path := strings.ToLower(u.Hostname()), strings.Trim(u.Path, "/")
	switch {
	case host == "hooks.slack.com" && strings.HasPrefix(path, "services/"):
		token := strings.ReplaceAll(strings.TrimPrefix(path, "services/"), "/", "-")
		return &url.URL{Scheme: "slack", User: url.UserPassword("hook", token), Host: "webhook"}, shapeTitled
	case strings.HasSuffix(host, ".webhook.office.com"):
		connector := *u
		connector.Scheme = "teams+https"
		return &connector, shapeTitled
	case strings.HasSuffix(host, ".logic.azure.com") || strings.HasSuffix(host, ".powerplatform.com"):
		return webhook(u), shapeCard
	}
	return webhook(u), shapeWebhook
}

// webhook is a URL of the library's generic service for a webhook, whose own query
// stays as it is.
func webhook(u *url.URL) *url.URL {
	out := *u
	query := url.Values{}
	for key, values := range u.Query() {
		switch strings.ToLower(key) {
		case "contenttype", "disabletls", "template", "title", "titlekey", "messagekey", "method":
			key = "__" + key
		}
		query[key] = values
	}
	if u.Scheme == "http" {
		query.Set("disabletls", "yes")
	}
	out.Scheme, out.RawQuery = generic.Scheme, query.Encode()
	return &out
}

// shapeOf is how the service of one of shoutrrr's URLs wants a message.
func shapeOf(u *url.URL) shape {
	scheme, _, _ := strings.Cut(u.Scheme, "+")
	switch strings.ToLower(scheme) {
	case "smtp":
		return shapeMail
	case "generic":
		if u.Query().Get("template") == "" {
			return shapePlain
		}
	}
	return shapeTitled
}

// open makes the library's service anew: it keeps what it sent, and is not made for
// two messages at once. Only those of its services are used that are tested here:
// others report success when the connection fails.
func (s *service) open() (opened types.Service, err error) {
	defer func() {
		if r := recover(); r != nil {
			opened, err = nil, s.error(fmt.Errorf("it is not understood: %v", r))
		}
	}()
	switch s.scheme {
	case slack.Scheme:
		opened = &slack.Service{}
	case teams.Scheme:
		opened = &teams.Service{}
	case smtp.Scheme:
		opened = &smtp.Service{}
	case generic.Scheme:
		opened = &generic.Service{}
	default:
		return nil, errors.New("it is of no known service: use slack, teams, smtp, generic, or the https URL of a webhook")
	}
	to := s.url
	if strings.Contains(to.Scheme, "+") {
		custom, ok := opened.(types.CustomURLService)
		if !ok {
			return nil, errors.New("its scheme takes no +")
		}
		if to, err = custom.GetConfigURLFromCustom(to); err != nil {
			return nil, s.error(fmt.Errorf("it is not understood: %w", err))
		}
	}
	// Without a logger nothing is logged: the library logs addresses and answers.
	if err := opened.Initialize(to, nil); err != nil {
		return nil, s.error(fmt.Errorf("it is not understood: %w", err))
	}
	return opened, s.setTemplate(opened)
}

func (s *service) setTemplate(opened types.Service) error {
	hook, ok := opened.(*generic.Service)
	if !ok {
		return nil
	}
	switch s.shape {
	case shapeWebhook:
		hook.Config.Template = generic.JSONTemplate
	case shapeCard:
		hook.Config.Template = "card"
		return hook.SetTemplateString("card", "{{.message}}")
	}
	return nil
}

// send sends one message, once, and waits for as long as the context lets it.
func (s *service) send(ctx context.Context, title, text string) error {
	select {
	case s.sends <- struct{}{}:
	default:
		return fmt.Errorf("%d earlier messages have no answer yet", pendingMax)
	}
	done := make(chan error, 1)
	go func() {
		defer func() { <-s.sends }()
		done <- s.deliver(title, text)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("there is no answer: %w", ctx.Err())
	}
}

func (s *service) deliver(title, text string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = s.error(fmt.Errorf("the service failed: %v", r))
		}
	}()
	opened, err := s.open()
	if err != nil {
		return err
	}
	message, params, err := s.format(title, text)
	if err != nil {
		return err
	}
	return s.error(opened.Send(message, &params))
}

// format makes a message what the service takes.
func (s *service) format(title, text string) (string, types.Params, error) {
	params := types.Params{}
	switch s.shape {
	case shapeWebhook:
		params.SetTitle(title)
	case shapeMail:
		params.SetTitle(mime.QEncoding.Encode("utf-8", title))
	case shapeCard:
		card, err := json.Marshal(adaptiveCard(title, text))
		return string(card), params, err
	case shapePlain:
		text = s.guard(title + "\n" + text)
	default:
		text = s.guard(text)
		params.SetTitle(s.guard(title))
	}
	return text, params, nil
}

// guard keeps a text from calling people and channels in chats.
func (s *service) guard(text string) string {
	switch s.scheme {
	case slack.Scheme:
		return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
	case teams.Scheme:
		return strings.ReplaceAll(text, "@", "@\u200b")
	}
	return text
}

// adaptiveCard is the message that the Teams trigger "when a webhook request is
// received" takes, by Microsoft's documentation of it.
func adaptiveCard(title, text string) any {
	type block struct {
		Type   string `json:"type"`
		Text   string `json:"text"`
		Weight string `json:"weight,omitempty"`
		Wrap   bool   `json:"wrap"`
		Space  string `json:"spacing,omitempty"`
	}
	// A line of its own for each: a card takes a single line break for a space. What
	// looks like its markup is shown as it is.
	plain := strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`)
	body := []block{{Type: "TextBlock", Text: plain.Replace(title), Weight: "Bolder", Wrap: true}}
	for l := range strings.Lines(text) {
		if l = strings.TrimSpace(l); l != "" {
			if !strings.HasPrefix(l, "https://") && !strings.HasPrefix(l, "http://") {
				l = plain.Replace(l)
			}
			body = append(body, block{Type: "TextBlock", Text: l, Wrap: true, Space: "None"})
		}
	}
	return map[string]any{
		"type": "message",
		"attachments": []any{map[string]any{
			"contentType": "application/vnd.microsoft.card.adaptive",
			"content": map[string]any{
				"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": body,
			},
		}},
	}
}
