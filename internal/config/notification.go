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

// Notification says whom to tell of a run, of what, and in which words. The URL of
// the service holds a secret, so the configuration only says where it is.
type Notification struct {
	Name string `yaml:"name" need:"say what to call it in logs, such as name: ops"`
	// URLEnv is the name of the environment variable that has the URL, and URLFile
	// the file, as written; see NotificationPath. One of the two is given.
	URLEnv  string `yaml:"url_env,omitempty" is:"variable"`
	URLFile string `yaml:"url_file,omitempty" is:"secret-file"`
	// On is what has to have happened.
	On []string `yaml:"on" is:"occasion"`
	// Template is the text of the message, for text/template; "" is the usual one.
	Template string `yaml:"template,omitempty" is:"template" lines:"ok"`
	// Link is where to read more: the page of the daemon.
	Link string `yaml:"link,omitempty" is:"link"`
	// Repeat is after how long the same failure, refusal, gap, violation or plan is
	// told again; 0 is every time.
	Repeat Duration `yaml:"repeat"`
}

func (n *Notification) Defaults() {
	n.On = []string{"failure", "refused", "gap", "violation", "deleted", "visibility"}
	n.Repeat = strictyaml.MustDuration("24h")
}

// NotificationPath is the file that has the URL of a notification, a relative path
// resolved against the folder of the configuration file; "" where it is in a
// variable.
func (c *Config) NotificationPath(n Notification) string {
	if n.URLFile == "" {
		return ""
	}
	return c.resolve(n.URLFile)
}

// urlHint is the remedy for a URL where none may be.
const urlHint = "the URL holds a secret: put it into an environment variable or a file, and name that with url_env or url_file"

// forbidden are the keys that somebody may think of and that must not be, with
// the remedy.
var forbidden = map[string]string{"notifications.url": urlHint}

func (d checker) checkNotifications(c *Config) {
	var rules []named
	for i := range c.Notifications {
		path, n := fmt.Sprintf("notifications[%d]", i), &c.Notifications[i]
		rules = append(rules, named{path: path, name: &n.Name})
		env, file := d.Given(path+".url_env"), d.Given(path+".url_file")
		switch {
		case env && file:
			d.Report(path+".url_file", "stands beside url_env", "say in one place where the URL is")
		case !env && !file && !d.Given(path+".url") && d.Whole(path):
			d.Report(path, "does not say where the URL of the service is", "name the environment variable that has it with url_env, or the file with url_file")
		}
	}
	d.checkNames(rules)
}

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// checkVariable never quotes what it refuses: it may be the secret itself.
func checkVariable(s string) (message, hint string) {
	switch {
	case strings.Contains(s, "://"):
		return "must be the name of an environment variable, not a URL", urlHint
	case !variable.MatchString(s):
		return "must be the name of an environment variable", "letters, digits and underscores, such as SLACK_URL"
	}
	return "", ""
}

func checkSecretFile(s string) (message, hint string) {
	if strings.Contains(s, "://") {
		return "must be the path of a file, not a URL", urlHint
	}
	return "", ""
}

func checkTemplate(s string) (message, hint string) {
	if _, err := template.New("").Parse(s); err != nil {
		// "template: :3: unexpected …"
		text := strings.TrimPrefix(err.Error(), "template: :")
		if line, rest, ok := strings.Cut(text, ": "); ok {
			text = rest + " (line " + line + " of the template)"
		}
		return "is no valid template: " + strictyaml.Clip(text), "it is a template of Go's text/template, such as \"{{.Headline}}\""
	}
	return "", ""
}

// checkLink never quotes what it refuses: it may hold a password.
func checkLink(s string) (message, hint string) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return "must be a link", "such as https://janitor.example.com/"
	case u.User != nil:
		return "must not hold a user or password", "everybody who reads the message reads the link"
	}
	return "", ""
}

// occasions are what can have happened, in the words for it.
var occasions = [][2]string{
	{"failure", "fails"},
	{"refused", "is refused by a limit"},
	{"gap", "could not see everything"},
	{"violation", "finds a deny violation"},
	{"deleted", "deletes something"},
	{"visibility", "changes a visibility"},
	{"planned", "plans something"},
}

func checkOccasion(s string) (message, hint string) {
	names := make([]string, len(occasions))
	for i, o := range occasions {
		names[i] = o[0]
	}
	if slices.Contains(names, s) {
		return "", ""
	}
	return strictyaml.NotOneOf(s, names)
}

func (n *Notification) words() string {
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
	if n.Repeat.Duration() > 0 {
		sentence += "; a daemon repeats what lasts after " + n.Repeat.Words()
	}
	return sentence
}
