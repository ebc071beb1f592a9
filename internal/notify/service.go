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

// service is where messages are sent.
type service struct {
	url    *url.URL
	scheme string
	shape  shape
	redactor
	// sends limits the messages that the service has not answered yet. The services of
	// the library take no context, and some wait forever: a message that timed out
	// occupies its place until the connection ends.
	sends chan struct{}
}

// shape is the form in which a service takes a message.
type shape int

const (
	shapeTitled  shape = iota // a title beside the text
	shapePlain                // the text alone
	shapeMail                 // the title in a header
	shapeWebhook              // JSON with both
	shapeCard                 // an adaptive card, for a workflow of Teams
)

// pendingMax is the number of messages that one service may leave unanswered.
const pendingMax = 4

// newService checks a URL without sending anything. The error contains no part of
// it.
func newService(raw string) (*service, error) {
	s := &service{redactor: newRedactor(raw), sends: make(chan struct{}, pendingMax)}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("it is not a URL")
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

// resolve turns the URL of a webhook into one of shoutrrr.
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

// webhook is a URL of the library's generic service that calls a webhook with its own
// query unchanged.
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

// shapeOf is the form of a message for a URL of shoutrrr.
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

// open creates the library's service for one message: it keeps what it sent, and is
// not safe for concurrent messages. Only the services that are tested here are used:
// others report success when the connection fails.
func (s *service) open() (opened types.Service, err error) {
	defer func() {
		if r := recover(); r != nil {
			opened, err = nil, s.error(fmt.Errorf("it cannot be parsed: %v", r))
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
		return nil, errors.New("its service is not supported: use slack, teams, smtp, generic, or the https URL of a webhook")
	}
	to := s.url
	if strings.Contains(to.Scheme, "+") {
		custom, ok := opened.(types.CustomURLService)
		if !ok {
			return nil, errors.New("its scheme cannot be combined with +")
		}
		if to, err = custom.GetConfigURLFromCustom(to); err != nil {
			return nil, s.error(fmt.Errorf("it cannot be parsed: %w", err))
		}
	}
	// No logger: the library would log addresses and answers.
	if err := opened.Initialize(to, nil); err != nil {
		return nil, s.error(fmt.Errorf("it cannot be parsed: %w", err))
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

// send sends one message once, and waits for the answer until the context ends.
func (s *service) send(ctx context.Context, title, text string) error {
	select {
	case s.sends <- struct{}{}:
	default:
		return fmt.Errorf("%d earlier messages are still unanswered", pendingMax)
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
		return fmt.Errorf("the service did not answer: %w", ctx.Err())
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

// format turns a message into the form that the service takes.
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

// guard prevents a text from mentioning people and channels in chats.
func (s *service) guard(text string) string {
	switch s.scheme {
	case slack.Scheme:
		return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
	case teams.Scheme:
		return strings.ReplaceAll(text, "@", "@\u200b")
	}
	return text
}

// adaptiveCard is the message for the Teams trigger "when a webhook request is
// received", as Microsoft documents it.
func adaptiveCard(title, text string) any {
	type block struct {
		Type   string `json:"type"`
		Text   string `json:"text"`
		Weight string `json:"weight,omitempty"`
		Wrap   bool   `json:"wrap"`
		Space  string `json:"spacing,omitempty"`
	}
	// Every line is a block, because a card shows a line break as a space. Markup is
	// escaped.
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
