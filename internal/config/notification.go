package config

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// Notification is a message about a run: to whom, when, and its text. The URL of the
// service has a secret, so the configuration only names where the URL is.
type Notification struct {
	Name string `yaml:"name" need:"give it a name for logs, such as name: ops"`
	// URLEnv is the environment variable that has the URL, and URLFile the file, as
	// written; see Resolve. One of the two is given.
	URLEnv  string `yaml:"url_env,omitempty" is:"variable"`
	URLFile string `yaml:"url_file,omitempty" is:"secret-file"`
	// On is what has to happen for a message.
	On []string `yaml:"on" is:"occasion"`
	// Owners are those of waivers: the messages are about their waivers alone. None means
	// that messages are about the whole run.
	Owners []string `yaml:"owners,omitempty"`
	// Template is the text of the message, for text/template; "" means the default.
	Template string `yaml:"template,omitempty" is:"template" lines:"ok"`
	// Link is where to read more, such as the page of the daemon.
	Link string `yaml:"link,omitempty" is:"link"`
	// Repeat is after how long the same failure, refusal, gap, violation or plan is
	// sent again; 0 means every time.
	Repeat strictyaml.Duration `yaml:"repeat"`
}

// Defaults sets the values of keys that are not in the file.
func (n *Notification) Defaults() {
	n.On = []string{"failure", "refused", "gap", "violation", "waiver", "deleted", "visibility"}
	n.Repeat = strictyaml.MustDuration("24h")
}

// urlHint is the remedy for a URL in the configuration.
const urlHint = "the URL is a secret: put it into an environment variable or a file, and name that with url_env or url_file"

func (d checker) checkNotifications(c *Config) {
	var all []named
	for i := range c.Notifications {
		path, n := fmt.Sprintf("notifications[%d]", i), &c.Notifications[i]
		all = append(all, named{path: path, name: &n.Name})
		env, file := d.Given(path+".url_env"), d.Given(path+".url_file")
		switch {
		case env && file:
			d.Report(path+".url_file", "cannot be used together with url_env", "remove one of the two")
		case !env && !file && !d.Given(path+".url") && d.Whole(path):
			d.Report(path, "needs url_env or url_file", "name the environment variable that has the URL of the service, or the file")
		}
	}
	d.checkOwners(c.Notifications)
	d.checkNames(all, "give each notification its own name: logs and metrics use it")
}

// checkOwners reports occasions that no owner has, and leaves those that owners have.
func (d checker) checkOwners(all []Notification) {
	for i := range all {
		path, n := fmt.Sprintf("notifications[%d].on", i), &all[i]
		switch {
		case len(n.Owners) == 0:
		case !d.Given(path):
			n.On = []string{"waiver"}
		case d.Clean(path) && !slices.Equal(n.On, []string{"waiver"}):
			d.Report(path, "cannot be used together with owners, whose messages are about waivers", "write on: [waiver], or remove the key; messages about the run need another notification")
		}
	}
}

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// variableOf is the check that a string is the name of a variable with a secret. It
// never quotes what it refuses, which may be the secret.
func variableOf(urlHint string) strictyaml.Check {
	return func(s string) (message, hint string) {
		switch {
		case strings.Contains(s, "://"):
			return "must be the name of an environment variable, not a URL", urlHint
		case !variable.MatchString(s):
			return "must be the name of an environment variable", "write letters, digits and underscores, such as SLACK_URL, without $ and braces"
		}
		return "", ""
	}
}

// fileOf is the check that a string is the path of a file with a secret.
func fileOf(urlHint string) strictyaml.Check {
	return func(s string) (message, hint string) {
		if strings.Contains(s, "://") {
			return "must be the path of a file, not a URL", urlHint
		}
		return "", ""
	}
}

func checkTemplate(s string) (message, hint string) {
	if _, err := template.New("").Parse(s); err != nil {
		// "template: :3: unexpected …"
		text := strings.TrimPrefix(err.Error(), "template: :")
		if line, rest, ok := strings.Cut(text, ": "); ok {
			text = rest + " (line " + line + " of the template)"
		}
		return "is not a valid template: " + strictyaml.Clip(text), "write a template for Go's text/template, such as \"{{.Headline}}\""
	}
	return "", ""
}

// checkLink never quotes what it refuses, which may have a password.
func checkLink(s string) (message, hint string) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return "must be a link", "write a URL, such as https://janitor.example.com/"
	case u.User != nil:
		return "must not have a user or password", "remove them: every reader of the message sees the link"
	}
	return "", ""
}

// occasions are what can happen in a run, and the words for it in a sentence.
var occasions = [][2]string{
	{"failure", "fails"},
	{"refused", "is refused by a limit"},
	{"gap", "could not read everything"},
	{"violation", "finds a deny violation"},
	{"waiver", "finds a waiver that ends soon or has ended"},
	{"deleted", "deletes something"},
	{"visibility", "changes a visibility"},
	{"planned", "plans something"},
}

func checkOccasion(s string) (message, hint string) {
	names := make([]string, len(occasions))
	for i, o := range occasions {
		names[i] = o[0]
	}
	return oneOf(s, names)
}

func (n *Notification) sentence() string {
	var on []string
	for _, o := range occasions {
		if slices.Contains(n.On, o[0]) {
			on = append(on, o[1])
		}
	}
	sentence := "sends a message to the service whose URL is in "
	if n.URLEnv != "" {
		sentence += "the variable " + n.URLEnv
	} else {
		sentence += "the file " + n.URLFile
	}
	sentence += " when a run " + text.List(on, "or")
	if len(n.Owners) > 0 {
		sentence += " of " + text.List(n.Owners, "or")
	}
	if n.Repeat.Duration() > 0 {
		sentence += "; a daemon sends the same again after " + n.Repeat.Words()
	}
	return sentence
}
